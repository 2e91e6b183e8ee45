import type { Frame } from './frames.js';
import { decodeJob, decodeWaiting, type Job } from './job.js';
import { isObject, number, numberOrNull, parseObject, text, timeOrNull } from './json.js';

/** Where a waiting job stands, as far as anybody can tell. */
export interface Place {
  id: string;
  reason: 'position' | 'paused' | 'scheduled' | 'backoff' | 'limit' | (string & {});
  /** 1 is next. */
  position: number | null;
  /** True: position, or more. */
  capped: boolean;
  until: number | null;
  /** Until the job should have ended: half of its like took less than p50, nine of ten less than p90. */
  etaMs: { p50: number; p90: number } | null;
}

export interface QueueStats {
  name: string;
  waiting: number;
  processing: number;
  delayed: number;
  dead: number;
  oldest_age_s: number;
  paused: boolean;
  concurrency: number;
  started_per_s: number;
  completed_per_s: number;
  failed_per_s: number;
}

/** How the whole system does; for operators, on the topic `stats`. As the server wrote it. */
export interface Stats {
  at: string;
  node: string;
  nodes: number;
  queues: QueueStats[];
  totals: Omit<QueueStats, 'name' | 'oldest_age_s' | 'paused' | 'concurrency'>;
  node_state: { actors: number; streams: number; write_pending: number; write_lag_s: number };
}

/** Trouble behind the stream: the last known state stays right to show, but may be old. */
export interface Fault {
  code: string;
  message: string;
  retryMs: number | null;
  fatal: boolean;
}

export interface End {
  /** done, drain, max_age, expired, slow, revoked, superseded. */
  reason: string;
  retryMs: number | null;
}

/** What a stream says, as far as this client knows it. */
export type StreamEvent =
  | { type: 'hello'; hbMs: number; serverNow: number | null }
  | { type: 'job'; job: Job }
  | { type: 'ready' }
  | { type: 'removed'; id: string; rev: number }
  | { type: 'place'; place: Place }
  | { type: 'stats'; stats: Stats }
  | { type: 'fault'; fault: Fault }
  | { type: 'hb' }
  | { type: 'end'; end: End };

/** Null for events of other names and for what can't be read: both are to be ignored, so that the contract can grow. */
export function decodeEvent(frame: Frame, base: string): StreamEvent | null {
  const data = parseObject(frame.data);
  if (data === null) return null;
  switch (frame.event) {
    case 'hello':
      return { type: 'hello', hbMs: Math.max(1_000, number(data.hb_ms, 15_000)), serverNow: timeOrNull(data.now) };
    case 'job': {
      const job = decodeJob(data, base);
      return job && { type: 'job', job };
    }
    case 'ready':
    case 'hb':
      return { type: frame.event };
    case 'removed':
      return { type: 'removed', id: text(data.id), rev: number(data.rev, Number.POSITIVE_INFINITY) };
    case 'place': {
      const eta = data.eta_ms;
      const etaMs = isObject(eta) ? { p50: number(eta.p50), p90: number(eta.p90) } : null;
      return { type: 'place', place: { ...decodeWaiting(data), id: text(data.id), capped: !!data.capped, etaMs } };
    }
    case 'stats':
      return Array.isArray(data.queues) ? { type: 'stats', stats: data as unknown as Stats } : null;
    case 'fault': {
      return { type: 'fault', fault: { code: text(data.code), message: text(data.message), retryMs: numberOrNull(data.retry_ms), fatal: !!data.fatal } };
    }
    case 'end':
      return { type: 'end', end: { reason: text(data.reason), retryMs: numberOrNull(data.retry_ms) } };
    default:
      return null;
  }
}
