/** Jobs of a Troupe server, live: one connection for a page, kept alive. No framework, no dependencies. */

export { Cell, type Watchable } from './cell.js';
export { type JobWatcher, jobsOf, Troupe, type TroupeOptions } from './client.js';
export { connect } from './connect.js';
export type { ConnectionState, Fallback, Link, LinkHost, Phase } from './connection.js';
export type { Fault, Place, QueueStats, Stats, StreamEvent } from './events.js';
export { followLogs, followOutput, type FollowOptions, type Gap, type LogLine, type OutputChunk } from './follow.js';
export { type Artifact, type Cancel, decodeJob, type Failure, type Job, type Progress, type Status, statuses, type TerminalStatus, type Waiting } from './job.js';
export { polling } from './poller.js';
export { Problem } from './problem.js';
export { decodeResource } from './resource.js';
export type { AcceptedJob, Job as JobResource, Submission, VideoRequest } from './resources.js';
export { cancel, get, retry, submit, type SubmitOptions, submitVideo } from './rest.js';
export type { Jobs } from './store.js';
export { maxTopics, shows, type Topic } from './topics.js';
export type { GetToken, TokenRequest } from './wire.js';
