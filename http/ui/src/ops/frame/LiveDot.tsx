import { useSyncExternalStore } from 'react';
import { useSilence } from '../../client';
import { connectionWords, silentWords, span } from '../../studio/words';
import { useConnection } from '../live/hooks';
import { live } from '../live/live';
import { useSecond } from '../parts';

function watchOnline(watcher: () => void): () => void {
  addEventListener('online', watcher);
  addEventListener('offline', watcher);
  return () => {
    removeEventListener('online', watcher);
    removeEventListener('offline', watcher);
  };
}

/** Says truly how live the page is. */
export function LiveDot() {
  const state = useConnection();
  const online = useSyncExternalStore(watchOnline, () => navigator.onLine);
  const now = useSecond();
  const silent = useSilence(live.client, state.phase === 'live');
  const { short, long } = silent ? silentWords : connectionWords(state, online);
  const left = state.retryAt === null ? 0 : state.retryAt - now;
  const quiet = state.phase === 'live' && state.fault === null && !silent;
  return (
    <div className="connection" data-phase={state.fault || silent ? 'reconnecting' : state.phase}>
      <p className="connection-words" title={long}>
        <span className="dot" aria-hidden="true" />
        {quiet ? short : long.replace('your jobs', 'jobs')}
        {state.phase === 'reconnecting' && left > 1_500 && <span className="next"> Next try in {span(left)}.</span>}
      </p>
      {(state.phase === 'closed' || (state.phase === 'reconnecting' && left > 3_000)) && (
        <button type="button" className="quiet" onClick={() => live.reconnect()}>
          Try now
        </button>
      )}
    </div>
  );
}
