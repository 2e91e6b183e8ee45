import { connect, type Troupe } from '@troupe/client';
import { base } from './base';

/** A client of the server of this page, below whatever prefix. */
export function client(): Troupe {
  return connect({ baseUrl: base.slice(0, -1) });
}
