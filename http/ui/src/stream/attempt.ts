import { decodeEvent, type End, type StreamEvent } from './events';
import { FrameReader } from './frames';

/** How one connection came to its end. */
export type Outcome =
  /** The server said why, as its last frame. */
  | { type: 'ended'; end: End }
  /** It broke off, or could not be made. `heard` says whether any byte came. */
  | { type: 'lost'; heard: boolean; retryMs: number | null }
  /** The server will not serve us, whatever the time. */
  | { type: 'refused'; status: number }
  /** There is nothing more to come. */
  | { type: 'done' };

export interface AttemptOptions {
  url: string;
  lastEventId: string;
  fetch: typeof fetch;
  signal: AbortSignal;
  onBytes(): void;
  onRetry(ms: number): void;
  /** Everything that one read brought, in order. */
  onEvents(events: StreamEvent[], lastEventId: string): void;
}

/** Opens the stream once and reads it to its end. Never rejects. */
export async function attempt(options: AttemptOptions): Promise<Outcome> {
  let heard = false;
  try {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (options.lastEventId !== '') headers['Last-Event-ID'] = options.lastEventId;
    const { signal } = options;
    const answer = await options.fetch(options.url, { headers, signal, cache: 'no-store', credentials: 'same-origin' });
    const refusal = judge(answer);
    if (refusal !== null || answer.body === null) {
      await answer.body?.cancel();
      return refusal ?? { type: 'lost', heard, retryMs: null };
    }
    const bytes = answer.body.getReader();
    const end = await read(bytes, options, () => {
      heard = true;
    });
    void bytes.cancel().catch(() => undefined);
    if (end !== null) return { type: 'ended', end };
  } catch {
    // Aborted, no network, or a frame over its bound: for the caller all are a lost connection.
  }
  return { type: 'lost', heard, retryMs: null };
}

/** Null if the answer is a stream. */
function judge(answer: Response): Outcome | null {
  const isStream = answer.headers.get('Content-Type')?.startsWith('text/event-stream') === true;
  if (answer.status === 200 && isStream) return null;
  if (answer.status === 204) return { type: 'done' };
  // A page of a proxy or of a captive portal, a deploy, a limit: all pass.
  const passes = answer.ok || answer.status >= 500 || answer.status === 429 || answer.status === 408;
  if (!passes && answer.status >= 400) return { type: 'refused', status: answer.status };
  return { type: 'lost', heard: true, retryMs: retryAfter(answer.headers) };
}

async function read(
  bytes: ReadableStreamDefaultReader<Uint8Array>,
  options: AttemptOptions,
  onHeard: () => void,
): Promise<End | null> {
  let events: StreamEvent[] = [];
  let lastEventId = options.lastEventId;
  const frames = new FrameReader({
    onRetry: options.onRetry,
    onFrame: (frame) => {
      lastEventId = frame.id ?? lastEventId;
      const event = decodeEvent(frame);
      if (event !== null) events.push(event);
    },
  });
  while (true) {
    const { done, value } = await bytes.read();
    if (done || options.signal.aborted) return null;
    onHeard();
    options.onBytes();
    frames.feed(value);
    const end = events.find((event) => event.type === 'end');
    options.onEvents(events, lastEventId);
    if (end !== undefined) return end.end;
    events = [];
  }
}

/** Milliseconds of a Retry-After header, in either of its forms. */
export function retryAfter(headers: Headers): number | null {
  const value = headers.get('Retry-After');
  if (value === null || value === '') return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
