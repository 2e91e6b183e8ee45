import type { ConnectionState, Fault, Phase as StreamPhase } from '@troupe/client';

/** How live a page is. */
export type Phase =
  | StreamPhase
  /** The server wants to know who we are. */
  | 'signed_out';

export interface Connected {
  readonly phase: Phase;
  /** When the next attempt is due, by the page's clock. */
  readonly retryAt: number | null;
  readonly reason: string | null;
  /** The server has trouble behind the stream; what is on the screen may be old. */
  readonly fault: Fault | null;
  /** The stream has told everything at least once: now an empty list means that there is nothing. */
  readonly complete: boolean;
  /** How far the server's clock is ahead of the page's, in milliseconds. */
  readonly skewMs: number;
}

/** What the client says of its connection, in the pages' terms. */
export function connected({ phase, retryAt, reason, problem, fault, covered, skewMs }: ConnectionState): Connected {
  const all = { retryAt, fault, complete: covered.length > 0, skewMs };
  if (phase !== 'closed' || problem === null) return { ...all, phase, reason };
  if (problem.status === 401) return { ...all, phase: 'signed_out', reason: null };
  return { ...all, phase, reason: `refused_${problem.status}` };
}
