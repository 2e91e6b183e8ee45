'use client';

/** React hooks for jobs of a Troupe server, live. */
export { type Connection, useConnection } from './connection.js';
export { type JobStream, type JobStreamOptions, useJobStream } from './job.js';
export { type Jobs, type JobsOptions, useJobs } from './jobs.js';
export { type Followed, type FollowHookOptions, type JobLogs, type JobOutput, useJobLogs, useJobOutput } from './lines.js';
export { TroupeProvider, type TroupeProviderProps, useTroupe } from './provider.js';
export { type Submit, useSubmit } from './submit.js';
