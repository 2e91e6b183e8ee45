import { Troupe, type TroupeOptions } from './client.js';
import { polling } from './poller.js';

/** A client that polls where no stream gets through. It connects when something is watched. */
export function connect(options: TroupeOptions = {}): Troupe {
  return new Troupe({ fallback: polling, ...options });
}
