import { isObject, type Json, number, numberOrNull, object, text, textOrNull, timeOrNull } from '../json';

export const statuses = [
  'scheduled',
  'queued',
  'processing',
  'retrying',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const;

export type Status = (typeof statuses)[number];

export interface Failure {
  code: string;
  /** Untrusted text: to be shown as text only. */
  message: string;
  fingerprint: string;
}

export interface Artifact {
  name: string;
  type: string;
  url: string;
  bytes: number | null;
}

/** A job as the page knows it: the whole public state at one revision. Times are milliseconds since 1970. */
export interface Job {
  id: string;
  /** Only grows. Of two states of a job the one with the greater rev is the newer. */
  rev: number;
  /** The life: 1, and one more with each redrive. */
  run: number;
  status: Status;
  terminal: boolean;
  kind: string;
  queue: string;
  owner: string | null;
  attempt: { n: number; max: number; nextAt: number | null };
  progress: {
    /** 0 to 100. */
    pct: number;
    stage: string;
    /** From 1; 0 when stages are not told. */
    stageIndex: number;
    stageCount: number;
    note: string;
    /** Milliseconds that are left, by the handler's own estimate. */
    etaMs: number | null;
  };
  error: Failure | null;
  artifacts: Artifact[];
  waiting: { reason: string; position: number | null; until: number | null } | null;
  createdAt: number;
  updatedAt: number;
  finishedAt: number | null;
}

/** Reads a job in the form of the stream (nested) or of the REST resource (flat); null if it is neither. */
export function decodeJob(value: unknown): Job | null {
  if (!isObject(value)) return null;
  const id = text(value.id);
  const rev = numberOrNull(value.rev ?? value.version);
  const status = statuses.find((known) => known === value.status);
  if (id === '' || rev === null || status === undefined) return null;
  const at = object(value.at);
  const created = timeOrNull(at.created ?? value.created_at) ?? 0;
  return {
    id,
    rev,
    run: number(value.run, 1),
    status,
    terminal: status === 'completed' || status === 'failed' || status === 'cancelled',
    kind: text(value.kind),
    queue: text(value.queue),
    owner: textOrNull(value.owner),
    attempt: decodeAttempt(value),
    progress: decodeProgress(value),
    error: decodeFailure(value.error),
    artifacts: Array.isArray(value.artifacts) ? value.artifacts.flatMap(decodeArtifact) : [],
    waiting: decodeWaiting(value.waiting),
    createdAt: created,
    updatedAt: timeOrNull(at.updated ?? value.updated_at) ?? created,
    finishedAt: timeOrNull(at.finished ?? value.completed_at),
  };
}

function decodeAttempt(value: Json): Job['attempt'] {
  if (isObject(value.attempt)) {
    const { n, max, next_at } = value.attempt;
    return { n: number(n), max: number(max), nextAt: timeOrNull(next_at) };
  }
  const due = value.status === 'retrying' || value.status === 'scheduled' ? timeOrNull(value.run_at) : null;
  return { n: number(value.attempt), max: number(value.max_attempts), nextAt: due };
}

function decodeProgress(value: Json): Job['progress'] {
  const nested = isObject(value.progress) ? value.progress : { ...value, pct: value.progress, note: value.message };
  return {
    pct: Math.min(100, Math.max(0, number(nested.pct))),
    stage: text(nested.stage),
    stageIndex: number(nested.stage_i),
    stageCount: number(nested.stage_n),
    note: text(nested.note),
    etaMs: numberOrNull(nested.eta_ms) || null,
  };
}

function decodeFailure(value: unknown): Failure | null {
  if (!isObject(value)) return null;
  return { code: text(value.code), message: text(value.message), fingerprint: text(value.fingerprint) };
}

function decodeArtifact(value: unknown): Artifact[] {
  if (!isObject(value) || text(value.url) === '') return [];
  return [{ name: text(value.name), type: text(value.type), url: text(value.url), bytes: numberOrNull(value.bytes) }];
}

function decodeWaiting(value: unknown): Job['waiting'] {
  if (!isObject(value)) return null;
  return { reason: text(value.reason), position: numberOrNull(value.position), until: timeOrNull(value.until) };
}
