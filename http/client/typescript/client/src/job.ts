import { isObject, type Json, list, number, numberOrNull, object, text, textOrNull, timeOrNull } from './json.js';

export const statuses = ['scheduled', 'queued', 'processing', 'retrying', 'cancelling', 'completed', 'failed', 'cancelled'] as const;
export type Status = (typeof statuses)[number];
export type TerminalStatus = 'completed' | 'failed' | 'cancelled';

export interface Failure {
  code: string;
  /** Untrusted text: to be shown as text only. */
  message: string;
  fingerprint: string;
}

export interface Artifact {
  name: string;
  type: string;
  /** Ready for src and href, also if the server is of another origin. */
  url: string;
  bytes: number | null;
}

export interface Progress {
  /** 0 to 100. */
  pct: number;
  stage: string;
  /** From 1; 0 when stages are not told. */
  stageIndex: number;
  stageCount: number;
  note: string;
  /** Milliseconds that are left, by the handler's own estimate. */
  etaMs: number | null;
}

export interface Waiting {
  reason: string;
  position: number | null;
  until: number | null;
}

/** What a job has in every status. Times are milliseconds since 1970. */
export interface JobBase {
  id: string;
  /** Only grows, exact up to 2^53. Of two states of a job the one with the greater rev is the newer. */
  rev: number;
  /** The life: 1, and one more with each redrive. */
  run: number;
  kind: string;
  queue: string;
  owner: string | null;
  batch: string | null;
  attempt: { n: number; max: number; nextAt: number | null };
  progress: Progress;
  artifacts: Artifact[];
  createdAt: number;
  updatedAt: number;
}

interface Live {
  terminal: false;
  finishedAt: null;
}
interface Ended {
  terminal: true;
  finishedAt: number;
  waiting: null;
}

/** The whole public state of a job at one revision; `status` tells which form it has. */
export type Job = JobBase &
  (
    | (Live & { status: 'scheduled' | 'queued'; error: null; waiting: Waiting | null })
    | (Live & { status: 'processing' | 'cancelling'; error: null; waiting: null })
    /** An attempt failed, another will come: not the end. */
    | (Live & { status: 'retrying'; error: Failure | null; waiting: Waiting | null })
    | (Ended & { status: 'completed' | 'cancelled'; error: null })
    | (Ended & { status: 'failed'; error: Failure })
  );

/**
 * Reads a job in the form of the stream (nested) or of the REST resource (flat); null if it is neither, or in a status of the
 * future. `base` is put before the paths of artifacts.
 */
export function decodeJob(value: unknown, base = ''): Job | null {
  if (!isObject(value)) return null;
  const id = text(value.id);
  const rev = numberOrNull(value.rev ?? value.version);
  const status = statuses.find((known) => known === value.status);
  if (id === '' || rev === null || status === undefined) return null;
  const at = object(value.at);
  const createdAt = timeOrNull(at.created ?? value.created_at) ?? 0;
  const updatedAt = timeOrNull(at.updated ?? value.updated_at) ?? createdAt;
  const all: JobBase = {
    id,
    rev,
    run: number(value.run, 1),
    kind: text(value.kind),
    queue: text(value.queue),
    owner: textOrNull(value.owner),
    batch: textOrNull(value.batch),
    attempt: decodeAttempt(value),
    progress: decodeProgress(value),
    artifacts: list(value.artifacts).flatMap((one) => decodeArtifact(one, base)),
    createdAt,
    updatedAt,
  };
  const live = { terminal: false, finishedAt: null } as const;
  const ended = { terminal: true, waiting: null, finishedAt: timeOrNull(at.finished ?? value.completed_at) ?? updatedAt } as const;
  switch (status) {
    case 'scheduled':
    case 'queued':
      return { ...all, ...live, status, error: null, waiting: decodeWaiting(value.waiting) };
    case 'processing':
    case 'cancelling':
      return { ...all, ...live, status, error: null, waiting: null };
    case 'retrying':
      return { ...all, ...live, status, error: isObject(value.error) ? decodeFailure(value.error) : null, waiting: decodeWaiting(value.waiting) };
    case 'failed':
      return { ...all, ...ended, status, error: decodeFailure(value.error) };
    default:
      return { ...all, ...ended, status, error: null };
  }
}

function decodeAttempt(value: Json): JobBase['attempt'] {
  if (isObject(value.attempt)) {
    const { n, max, next_at } = value.attempt;
    return { n: number(n), max: number(max), nextAt: timeOrNull(next_at) };
  }
  const due = value.status === 'retrying' || value.status === 'scheduled' ? timeOrNull(value.run_at) : null;
  return { n: number(value.attempt), max: number(value.max_attempts), nextAt: due };
}

function decodeProgress(value: Json): Progress {
  const from = isObject(value.progress) ? value.progress : { ...value, pct: value.progress, note: value.message };
  return {
    pct: value.status === 'completed' ? 100 : Math.min(100, Math.max(0, number(from.pct))),
    stage: text(from.stage),
    stageIndex: number(from.stage_i),
    stageCount: number(from.stage_n),
    note: text(from.note),
    etaMs: numberOrNull(from.eta_ms) || null,
  };
}

function decodeFailure(value: unknown): Failure {
  const { code, message, fingerprint } = object(value);
  return { code: text(code) || 'unknown', message: text(message), fingerprint: text(fingerprint) };
}

function decodeArtifact(value: unknown, base: string): Artifact[] {
  const { name, type, url, bytes } = object(value);
  const path = text(url);
  if (path === '') return [];
  return [{ name: text(name), type: text(type), url: path.startsWith('/') ? base + path : path, bytes: numberOrNull(bytes) }];
}

function decodeWaiting(value: unknown): Waiting | null {
  if (!isObject(value)) return null;
  return { reason: text(value.reason), position: numberOrNull(value.position), until: timeOrNull(value.until) };
}
