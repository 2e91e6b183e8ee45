import type { EventSourceMessage } from 'eventsource-parser';
import { type Json, number, numberOrNull, parseObject, text, timeOrNull } from '../json';
import { decodeJob, type Job } from './job';

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
  | { type: 'hello'; mode: 'snapshot' | 'resume'; hbMs: number; serverNow: number | null }
  | { type: 'job'; job: Job }
  | { type: 'ready'; jobs: number }
  | { type: 'removed'; id: string; rev: number }
  | { type: 'hb'; serverNow: number | null }
  | { type: 'fault'; fault: Fault }
  /** Of a name that not every page knows: stats, place. */
  | { type: 'other'; name: string; data: Json }
  | { type: 'end'; end: End };

const defaultHeartbeatMs = 15_000;

/** Null for what can't be read, which is to be ignored, so that the contract can grow. */
export function decodeEvent(frame: EventSourceMessage): StreamEvent | null {
  const data = parseObject(frame.data);
  if (data === null) return null;
  switch (frame.event) {
    case 'hello':
      return {
        type: 'hello',
        mode: data.mode === 'resume' ? 'resume' : 'snapshot',
        hbMs: Math.max(1_000, number(data.hb_ms, defaultHeartbeatMs)),
        serverNow: timeOrNull(data.now),
      };
    case 'job': {
      const job = decodeJob(data);
      return job && { type: 'job', job };
    }
    case 'ready':
      return { type: 'ready', jobs: number(data.jobs) };
    case 'removed':
      return { type: 'removed', id: text(data.id), rev: number(data.rev, Number.POSITIVE_INFINITY) };
    case 'hb':
      return { type: 'hb', serverNow: timeOrNull(data.now) };
    case 'fault': {
      const fault = { code: text(data.code), message: text(data.message), retryMs: numberOrNull(data.retry_ms) };
      return { type: 'fault', fault: { ...fault, fatal: data.fatal === true } };
    }
    case 'end':
      return { type: 'end', end: { reason: text(data.reason), retryMs: numberOrNull(data.retry_ms) } };
    default:
      return frame.event ? { type: 'other', name: frame.event, data } : null;
  }
}
