import { Connection, type Link, type LinkHost } from './connection.js';

/** One connection for all tabs of a browser. */
export function acrossTabs(): (host: LinkHost) => Link {
  return (host) => new Connection(host);
}
