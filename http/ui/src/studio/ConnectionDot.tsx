import { useSyncExternalStore } from 'react';
import { useSilence } from '../client';
import { useWatched } from '../watch';
import { useNow, useStudio } from './context';
import { connectionWords, silentWords, span } from './words';

function watchOnline(watcher: () => void): () => void {
  addEventListener('online', watcher);
  addEventListener('offline', watcher);
  return () => {
    removeEventListener('online', watcher);
    removeEventListener('offline', watcher);
  };
}

/** Says truly how live the page is. */
export function ConnectionDot() {
  const studio = useStudio();
  const state = useWatched(studio.connection);
  const online = useSyncExternalStore(watchOnline, () => navigator.onLine);
  const now = useNow(state.retryAt !== null);
  const silent = useSilence(studio.client, state.phase === 'live');
  const { short, long } = silent ? silentWords : connectionWords(state, online);
  const left = state.retryAt === null ? 0 : state.retryAt - now;
  const quiet = state.phase === 'live' && state.fault === null && !silent;
  return (
    <div className="connection" data-phase={state.fault || silent ? 'reconnecting' : state.phase}>
      <p className="connection-words" title={long}>
        <span className="dot" aria-hidden="true" />
        {quiet ? short : long}
        {state.phase === 'reconnecting' && left > 1_000 && <span className="next"> Next try in {span(left)}.</span>}
      </p>
      {(state.phase === 'closed' || (state.phase === 'reconnecting' && left > 3_000)) && (
        <button type="button" className="quiet" onClick={() => studio.reconnect()}>
          Try now
        </button>
      )}
    </div>
  );
}
