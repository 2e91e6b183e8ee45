const minDelayMs = 500;
const maxDelayMs = 30_000;
/** The longest that a server may make us wait. */
const maxAskedMs = 300_000;

/**
 * How long to wait before the attempt after this many failures: full jitter over a span that doubles, so that the clients of a node
 * that went away do not come back all at once. `asked` is what the server said (retry, Retry-After).
 */
export function backoff(failures: number, asked: number | null): number {
  const span = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(failures, 10));
  const delay = minDelayMs + Math.random() * (span - minDelayMs);
  return Math.round(Math.max(delay, Math.min(asked ?? 0, maxAskedMs)));
}
