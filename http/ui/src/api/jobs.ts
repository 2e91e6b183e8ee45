import { base } from '../base';
import { isObject, object, text, textOrNull } from '../json';
import { decodeResource as decodeJob, type Job } from '@troupe/client';
import { sendForJson } from './http';

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
  const job = decodeJob(value, base.slice(0, -1));
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

/** Jobs of a kind and, where there is one, of an owner, newest first. */
export async function listJobs(kind: string, owner: string, limit: number, cursor: string | null): Promise<Page> {
  const query = new URLSearchParams({ kind, limit: String(limit) });
  if (owner !== '') query.set('owner', owner);
  if (cursor !== null) query.set('cursor', cursor);
  return decodePage(await sendForJson(`/v1/jobs?${query}`));
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
