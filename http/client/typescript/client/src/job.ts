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

/** Somebody asked that this life of the job be stopped. */
export interface Cancel {
  /** requested until the job ends; then confirmed if it ended as cancelled, too_late if it ended otherwise. */
  state: 'requested' | 'confirmed' | 'too_late';
  /** Who asked first, and why. Untrusted text: to be shown as text only. */
  by?: string;
  reason?: string;
  /** A time as RFC 3339 has it. */
  at?: string;
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
  /** Null if nobody asked. */
  cancel: Cancel | null;
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

/** Reads a job in the form of the stream; null if it is none, or in a status of the future. `base` is put before paths of artifacts. */
export function decodeJob(value: Json, base = ''): Job | null {
  const id = text(value.id);
  const rev = numberOrNull(value.rev);
  const status = statuses.find((known) => known === value.status);
  if (!id || rev === null || !status) return null;
  const at = object(value.at);
  const attempt = object(value.attempt);
  const progress = object(value.progress);
  const createdAt = timeOrNull(at.created) ?? 0;
  const updatedAt = timeOrNull(at.updated) ?? createdAt;
  const terminal = statuses.indexOf(status) > 4; // the last three
  // One form for all: the union above says what each status leaves of it.
  const job = {
    id,
    rev,
    run: number(value.run, 1),
    status,
    terminal,
    kind: text(value.kind),
    queue: text(value.queue),
    owner: textOrNull(value.owner),
    batch: textOrNull(value.batch),
    attempt: { n: number(attempt.n), max: number(attempt.max), nextAt: timeOrNull(attempt.next_at) },
    progress: {
      pct: status === 'completed' ? 100 : Math.min(100, Math.max(0, number(progress.pct))),
      stage: text(progress.stage),
      stageIndex: number(progress.stage_i),
      stageCount: number(progress.stage_n),
      note: text(progress.note),
      etaMs: numberOrNull(progress.eta_ms) || null,
    },
    error: status === 'failed' || (status === 'retrying' && value.error) ? decodeFailure(object(value.error)) : null,
    artifacts: list(value.artifacts).flatMap((one) => decodeArtifact(object(one), base)),
    cancel: isObject(value.cancel) ? value.cancel : null,
    waiting: waits(status) && isObject(value.waiting) ? decodeWaiting(value.waiting) : null,
    createdAt,
    updatedAt,
    finishedAt: terminal ? (timeOrNull(at.finished) ?? updatedAt) : null,
  };
  return job as Job;
}

/** Whether a job in this status waits for its turn. */
export function waits(status: Status): boolean {
  return status === 'scheduled' || status === 'queued' || status === 'retrying';
}

function decodeFailure({ code, message, fingerprint }: Json): Failure {
  return { code: text(code) || 'unknown', message: text(message), fingerprint: text(fingerprint) };
}

function decodeArtifact({ name, type, url, bytes }: Json, base: string): Artifact[] {
  const path = text(url);
  return path ? [{ name: text(name), type: text(type), url: path[0] === '/' ? base + path : path, bytes: numberOrNull(bytes) }] : [];
}

export function decodeWaiting({ reason, position, until }: Json): Waiting {
  return { reason: text(reason), position: numberOrNull(position), until: timeOrNull(until) };
}
