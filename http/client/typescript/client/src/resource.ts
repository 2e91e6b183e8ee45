import { decodeJob, type Job } from './job.js';
import { isObject, type Json } from './json.js';

/** Reads a job in the form of a REST answer; null if it is none. */
export function decodeResource(value: unknown, base = ''): Job | null {
  return isObject(value) ? decodeJob(asFrame(value), base) : null;
}

/** The resource is flat where the stream's form is nested. */
function asFrame(view: Json): Json {
  const { status, run_at, stage, stage_i, stage_n, message, eta_ms } = view;
  const due = status === 'retrying' || status === 'scheduled' ? run_at : null;
  const reason = status === 'retrying' ? 'backoff' : status === 'scheduled' ? 'schedule' : 'queue';
  return {
    ...view,
    rev: view.version,
    attempt: { n: view.attempt, max: view.max_attempts, next_at: due },
    progress: { pct: view.progress, stage, stage_i, stage_n, note: message, eta_ms },
    waiting: { reason, until: due },
    at: { created: view.created_at, updated: view.updated_at, finished: view.completed_at },
  };
}
