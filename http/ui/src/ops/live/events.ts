import { isObject, type Json, number, numberOrNull, object, text, textOrNull } from '../../json';

/** Figures of one queue, over all nodes. Rates are per second, over the last five. */
export interface QueueStats {
  name: string;
  waiting: number;
  processing: number;
  delayed: number;
  dead: number;
  oldestAgeS: number | null;
  paused: boolean;
  concurrency: number | null;
  startedPerS: number;
  completedPerS: number;
  failedPerS: number;
}

export type Totals = Pick<
  QueueStats,
  'waiting' | 'processing' | 'delayed' | 'dead' | 'startedPerS' | 'completedPerS' | 'failedPerS'
>;

/** The event `stats`: at most one a second. */
export interface Stats {
  /** RFC 3339. */
  at: string;
  node: string;
  nodes: number;
  queues: QueueStats[];
  totals: Totals;
  nodeState: {
    actors: number | null;
    streams: number | null;
    writePending: number | null;
    writeLagS: number | null;
  };
}

/** The event `place`: where a waiting job stands. Also the answer of GET /v1/jobs/{id}/waiting, which adds the text. */
export interface Waiting {
  id: string;
  reason: string;
  position: number | null;
  /** The position is at least this. */
  capped: boolean;
  until: string | null;
  etaMs: { p50: number; p90: number } | null;
  text: string | null;
}

export function decodeStats(value: Json): Stats {
  const state = object(value.node_state);
  return {
    at: text(value.at),
    node: text(value.node),
    nodes: number(value.nodes, 1),
    queues: (Array.isArray(value.queues) ? value.queues : []).filter(isObject).map((queue) => ({
      ...decodeTotals(queue),
      name: text(queue.name),
      oldestAgeS: numberOrNull(queue.oldest_age_s),
      paused: queue.paused === true,
      concurrency: numberOrNull(queue.concurrency),
    })),
    totals: decodeTotals(object(value.totals)),
    nodeState: {
      actors: numberOrNull(state.actors),
      streams: numberOrNull(state.streams),
      writePending: numberOrNull(state.write_pending),
      writeLagS: numberOrNull(state.write_lag_s),
    },
  };
}

function decodeTotals(value: Json): Totals {
  return {
    waiting: number(value.waiting),
    processing: number(value.processing),
    delayed: number(value.delayed),
    dead: number(value.dead),
    startedPerS: number(value.started_per_s),
    completedPerS: number(value.completed_per_s),
    failedPerS: number(value.failed_per_s),
  };
}

export function decodeWaiting(value: Json): Waiting {
  const eta = isObject(value.eta_ms) ? value.eta_ms : null;
  return {
    id: text(value.id),
    reason: text(value.reason),
    position: numberOrNull(value.position),
    capped: value.capped === true,
    until: textOrNull(value.until),
    etaMs: eta && { p50: number(eta.p50), p90: number(eta.p90) },
    text: textOrNull(value.text),
  };
}
