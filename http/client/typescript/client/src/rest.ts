import type { Troupe } from './client.js';
import { Problem, problemOf } from './problem.js';
import { decodeResource } from './resource.js';
import type { AcceptedJob, Job, Submission, VideoRequest } from './resources.js';

/** What one request may take. */
const timeoutMs = 30_000;
/** How often a submission is sent at most, always with the same key. */
const maxTries = 4;
/** The longest pause between two of these; who is asked to wait longer is told so instead. */
const maxPauseMs = 10_000;

export interface SubmitOptions {
  /** The same key again is the same job again. One is made if there is none. */
  key?: string;
  signal?: AbortSignal;
}

/** Submits a job. It may be called again after any failure with the same key: it is one job. Rejects with a Problem. */
export function submit(client: Troupe, submission: Submission, options: SubmitOptions = {}): Promise<AcceptedJob> {
  return send(client, '/v1/jobs', submission, options);
}

/** Asks for a video: a job of kind `video.generate`. Rejects with a Problem. */
export function submitVideo(client: Troupe, video: VideoRequest, options: SubmitOptions = {}): Promise<AcceptedJob> {
  return send(client, '/v1/videos', video, options);
}

/** The job with its payload and result, always fresh. Rejects with a Problem. */
export function get(client: Troupe, id: string, signal?: AbortSignal): Promise<Job> {
  return ask<Job>(client, path(id), signal ? { signal } : {});
}

/** Asks that a job stops. Rejects with a Problem. */
export function cancel(client: Troupe, id: string, reason?: string): Promise<Job> {
  return ask<Job>(client, `${path(id)}/cancel`, post({ reason }));
}

/** Runs a waiting job now, or gives one that failed or was cancelled a new life. Rejects with a Problem. */
export function retry(client: Troupe, id: string, reason?: string): Promise<Job> {
  return ask<Job>(client, `${path(id)}/retry`, post({ reason }));
}

function path(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
}

async function send(client: Troupe, to: string, what: Submission | VideoRequest, { key = crypto.randomUUID(), signal }: SubmitOptions) {
  const request = post(what);
  const headers = { ...request.headers, 'Idempotency-Key': key };
  for (let tries = 1; ; tries++) {
    try {
      return await ask<AcceptedJob>(client, to, { ...request, headers, ...(signal && { signal }) });
    } catch (problem) {
      const passes = problem instanceof Problem && (problem.retryMs !== null || problem.status === 0 || problem.status >= 502);
      const pause = passes ? Math.max(problem.retryMs ?? 0, 500 * tries) : 0;
      if (!passes || tries >= maxTries || pause > maxPauseMs) throw problem;
      await new Promise((resolve) => setTimeout(resolve, pause));
      signal?.throwIfAborted();
    }
  }
}

/** Rejects with a Problem, and with nothing else unless the signal was aborted. What it learns of the job, the client learns, too. */
async function ask<T extends Job>(client: Troupe, to: string, init: RequestInit): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  const answer = await client.wire.request(to, { ...init, signal }).catch((cause: unknown) => {
    if (init.signal?.aborted) throw cause;
    throw new Problem(0, 'network', cause instanceof Error ? cause.message : 'network');
  });
  if (!answer.ok) throw await problemOf(answer);
  const body: unknown = await answer.json().catch(() => null);
  const job = decodeResource(body, client.wire.base);
  if (!job) throw new Problem(502, 'unreadable', 'the answer is no job');
  client.apply(job);
  return body as T;
}
