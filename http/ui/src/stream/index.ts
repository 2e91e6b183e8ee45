/** The live half of a client, without a framework: bytes to events, events to jobs, and a connection that is kept alive. */

export type { Shown } from './advance';
export { retryAfter } from './attempt';
export { Cell, type Watchable } from './cell';
export { Connection, type ConnectionOptions, type ConnectionState, type Phase } from './connection';
export type { End, Fault, StreamEvent } from './events';
export { type Artifact, decodeJob, type Failure, type Job, type Status } from './job';
export { Poller } from './poller';
export { JobStore } from './store';
