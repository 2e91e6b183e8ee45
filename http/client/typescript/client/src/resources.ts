import type { components } from './schema.js';

type Schemas = components['schemas'];

/** A job as REST answers have it, with payload and result where it is asked for alone. */
export type Job = Schemas['Job'];
/** What was accepted, and where to watch it. */
export type AcceptedJob = Schemas['AcceptedJob'];
export type Submission = Schemas['Submission'];
export type VideoRequest = Schemas['VideoRequest'];
