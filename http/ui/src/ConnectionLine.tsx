import './connectionLine.css';
import type { Troupe } from '@troupe/client';
import { useSyncExternalStore } from 'react';
import { useSilence } from './client';
import type { Connected } from './connection';
import { connectionWords, silentWords, span } from './studio/words';

function watchOnline(watcher: () => void): () => void {
  addEventListener('online', watcher);
  addEventListener('offline', watcher);
  return () => {
    removeEventListener('online', watcher);
    removeEventListener('offline', watcher);
  };
}

interface Props {
  client: Troupe;
  state: Connected;
  now: number;
  /** Whose jobs are spoken of: those of whoever looks, or everybody's. */
  ofAll?: boolean;
  onReconnect(): void;
}

/** Says truly how live the page is. */
export function ConnectionLine({ client, state, now, ofAll = false, onReconnect }: Props) {
  const online = useSyncExternalStore(watchOnline, () => navigator.onLine);
  const silent = useSilence(client, state.phase === 'live');
  const { short, long } = silent ? silentWords : connectionWords(state, online);
  const left = state.retryAt === null ? 0 : state.retryAt - now;
  const quiet = state.phase === 'live' && state.fault === null && !silent;
  return (
    <div className="connection" data-phase={state.fault || silent ? 'reconnecting' : state.phase}>
      <p className="connection-words" title={long}>
        <span className="dot" aria-hidden="true" />
        {quiet ? short : ofAll ? long.replace('your jobs', 'jobs') : long}
        {state.phase === 'reconnecting' && left > 1_000 && <span className="next"> Next try in {span(left)}.</span>}
      </p>
      {(state.phase === 'closed' || (state.phase === 'reconnecting' && left > 3_000)) && (
        <button type="button" className="quiet" onClick={onReconnect}>
          Try now
        </button>
      )}
    </div>
  );
}
