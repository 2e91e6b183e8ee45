import type { Job } from '@troupe/client';

/** An estimate may slip by this much before the screen shows that it did: small corrections are noise to a reader. */
const etaSlackMs = 5_000;

/** A job and what a screen derives from the states it has been shown before. */
export interface Shown {
  job: Job;
  /** Percent to draw: within one run it never goes back, also when a later attempt starts again from nothing. */
  pct: number;
  /** When the work should be done, by the page's own clock; null if nobody estimates. */
  doneAt: number | null;
}

/**
 * The rule of the stream: a state is applied if and only if its rev is greater than the one seen. Returns null when the
 * incoming one is old or known. `now` is the page's clock.
 */
export function advance(seen: Shown | undefined, incoming: Job, now: number): Shown | null {
  if (seen !== undefined && incoming.rev <= seen.job.rev) return null;
  const sameRun = seen !== undefined && seen.job.run === incoming.run;
  const pct = incoming.status === 'completed' ? 100 : incoming.progress.pct;
  return {
    job: incoming,
    pct: sameRun ? Math.max(seen.pct, pct) : pct,
    doneAt: estimate(sameRun && seen.job.attempt.n === incoming.attempt.n ? seen.doneAt : null, incoming, now),
  };
}

function estimate(before: number | null, incoming: Job, now: number): number | null {
  if (incoming.status !== 'processing' || incoming.progress.etaMs === null) return null;
  const doneAt = now + incoming.progress.etaMs;
  const slipped = before === null ? 0 : doneAt - before;
  return before !== null && slipped > 0 && slipped < etaSlackMs ? before : doneAt;
}
