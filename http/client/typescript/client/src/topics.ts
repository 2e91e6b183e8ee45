import type { Job } from './job.js';

/** Topics in one stream at most, as the server bounds them. */
export const maxTopics = 500;

/** `job:ID`, `owner:NAME`, `owner:me`, `batch:NAME`, `queue:NAME`, `all` or `stats`. */
export type Topic = `job:${string}` | `owner:${string}` | `batch:${string}` | `queue:${string}` | 'all' | 'stats';

/** Whether a topic shows a job. Who "me" is only the server knows: here it is everybody whose jobs it sent. */
export function shows(topic: string, job: Job): boolean {
  switch (topic) {
    case 'all':
    case 'owner:me':
    case `job:${job.id}`:
    case `queue:${job.queue}`:
      return true;
    case `owner:${job.owner}`:
      return job.owner !== null;
    case `batch:${job.batch}`:
      return job.batch !== null;
    default:
      return false;
  }
}
