import { ConnectionLine } from '../ConnectionLine';
import { useWatched } from '../watch';
import { useNow, useStudio } from './context';

export function ConnectionDot() {
  const studio = useStudio();
  const state = useWatched(studio.connection);
  return <ConnectionLine client={studio.client} state={state} now={useNow(state.retryAt !== null)} onReconnect={() => studio.reconnect()} />;
}
