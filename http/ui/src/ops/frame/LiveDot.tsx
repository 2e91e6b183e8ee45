import { ConnectionLine } from '../../ConnectionLine';
import { useConnection } from '../live/hooks';
import { live } from '../live/live';
import { useSecond } from '../parts';

export function LiveDot() {
  return <ConnectionLine client={live.client} state={useConnection()} now={useSecond()} ofAll onReconnect={() => live.reconnect()} />;
}
