import { isObject, object, text, textOrNull } from '../json';
import { decodeJob, type Job } from '../stream';
import { send, sendForJson } from './http';

/** Ids in one request at most, as the server bounds them. */
export const maxIds = 100;

/** What a job was asked for and what it answered: not on the stream, read from the resource. */
export interface Brief {
  prompt: string;
  imageUrl: string | null;
  duration: number | null;
  videoUrl: string | null;
  posterUrl: string | null;
}

/** A job as a REST answer has it. */
export interface Resource {
  job: Job;
  /** Null where the answer leaves the payload out, as lists may. */
  brief: Brief | null;
}

export interface Page {
  resources: Resource[];
  next: string | null;
}

export function decodeResource(value: unknown): Resource | null {
  const job = decodeJob(value);
  return job && { job, brief: decodeBrief(object(value)) };
}

function decodeBrief(resource: { payload?: unknown; result?: unknown }): Brief | null {
  if (!isObject(resource.payload)) return null;
  const { prompt, imageUrl, duration } = resource.payload;
  const result = object(resource.result);
  return {
    prompt: text(prompt),
    imageUrl: textOrNull(imageUrl),
    duration: typeof duration === 'number' ? duration : null,
    videoUrl: textOrNull(result.videoUrl),
    posterUrl: textOrNull(result.posterUrl),
  };
}

export async function getJob(id: string, signal?: AbortSignal): Promise<Resource | null> {
  return decodeResource(await sendForJson(`/v1/jobs/${encodeURIComponent(id)}`, signal ? { signal } : {}));
}

/** Jobs of a kind, newest first. */
export async function listJobs(kind: string, limit: number, cursor: string | null): Promise<Page> {
  const query = new URLSearchParams({ kind, limit: String(limit) });
  if (cursor !== null) query.set('cursor', cursor);
  return decodePage(await sendForJson(`/v1/jobs?${query}`));
}

/** The jobs of these ids, at most maxIds. With the ETag of the last answer to the same question, null if it still holds. */
export async function pollJobs(
  ids: string[],
  etag: string,
  signal?: AbortSignal,
): Promise<{ resources: Resource[]; missing: string[]; etag: string } | null> {
  const headers: Record<string, string> = etag === '' ? {} : { 'If-None-Match': etag };
  const answer = await send(`/v1/jobs?ids=${ids.slice(0, maxIds).map(encodeURIComponent).join(',')}`, {
    headers,
    ...(signal && { signal }),
  });
  if (answer.status === 304) return null;
  const body: unknown = await answer.json();
  const { missing } = object(body);
  return {
    resources: decodePage(body).resources,
    missing: Array.isArray(missing) ? missing.map(text) : [],
    etag: answer.headers.get('ETag') ?? '',
  };
}

function decodePage(value: unknown): Page {
  const body = object(value);
  const items = Array.isArray(value) ? value : Array.isArray(body.jobs) ? body.jobs : [];
  return { resources: items.flatMap((item) => decodeResource(item) ?? []), next: textOrNull(body.next) };
}

/** Asks that a job stops. Answers its state if the server told it. */
export async function cancelJob(id: string, keepalive = false): Promise<Resource | null> {
  return act(id, 'cancel', keepalive);
}

/** Gives a job that ended badly a new life. */
export async function retryJob(id: string): Promise<Resource | null> {
  return act(id, 'retry', false);
}

async function act(id: string, verb: string, keepalive: boolean): Promise<Resource | null> {
  const path = `/v1/jobs/${encodeURIComponent(id)}/${verb}`;
  return decodeResource(await sendForJson(path, { method: 'POST', body: {}, keepalive }));
}
