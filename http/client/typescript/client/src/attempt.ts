import { decodeEvent, type End, type StreamEvent } from './events.js';
import { FrameReader } from './frames.js';
import { type Problem, problemOf, refuses, retryAfter } from './problem.js';
import type { Wire } from './wire.js';

/** No byte for this long after connecting: something on the way holds the stream back. */
export const muteMs = 10_000;
/** Silence of this many heartbeats is a dead connection. */
const heartbeats = 2.5;

/** How one connection came to its end. */
export type Outcome =
  /** The server said why, as its last frame. */
  | { type: 'ended'; end: End }
  /** It broke off, or could not be made. */
  | { type: 'lost'; mute: boolean; retryMs: number | null }
  /** The server will not serve us, whatever the time. */
  | { type: 'refused'; problem: Problem };

/** One stream, opened once and read to its end. */
export class Attempt {
  /** The stream has told everything that there is. */
  ready = false;
  /** Where to go on, once it was ready. */
  cursor = '';
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #patience = muteMs;
  #heardAt = Date.now();
  #heard = false;

  constructor(
    readonly wire: Wire,
    readonly topics: readonly string[],
  ) {}

  /** Never rejects. `onEvents` gets what one read brought, in order. */
  async run(known: Record<string, number>, since: string, onEvents: (events: StreamEvent[]) => void): Promise<Outcome> {
    const frames = new FrameReader();
    let lost: number | null = null;
    this.#hear();
    try {
      const answer = await this.wire.request(
        '/v1/stream',
        {
          method: 'POST',
          body: JSON.stringify({ topics: this.topics, known, ...(since && { since }) }),
          headers: { 'Content-Type': 'application/json' },
          signal: this.#abort.signal,
        },
        this.topics,
      );
      if (answer.status === 204) return { type: 'ended', end: { reason: 'done', retryMs: null } };
      const isStream = answer.headers.get('Content-Type')?.startsWith('text/event-stream');
      if (answer.status !== 200 || !answer.body || !isStream) {
        this.#heard = true;
        if (refuses(answer)) return { type: 'refused', problem: await problemOf(answer) };
        void answer.body?.cancel();
        lost = retryAfter(answer.headers); // a deploy, a limit, the page of a proxy: all pass
      } else {
        const bytes = answer.body.getReader();
        for (;;) {
          const { done, value } = await bytes.read();
          if (done || this.#abort.signal.aborted) break;
          this.#heard = true;
          this.#hear();
          const end = this.#read(frames, value, onEvents);
          if (end) return { type: 'ended', end };
        }
      }
    } catch {
      // Aborted, no network, or a frame over its bound: for the caller all are a lost connection.
    } finally {
      this.stop();
    }
    return { type: 'lost', mute: !this.#heard && this.overdue(), retryMs: lost ?? frames.retryMs };
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  /** Whether it is silent for too long: timers stand still while a laptop sleeps or a page is frozen. */
  overdue(): boolean {
    return Date.now() - this.#heardAt >= this.#patience;
  }

  #hear(): void {
    this.#heardAt = Date.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), this.#patience);
  }

  #read(frames: FrameReader, bytes: Uint8Array, onEvents: (events: StreamEvent[]) => void): End | null {
    const events: StreamEvent[] = [];
    let end: End | null = null;
    for (const frame of frames.feed(bytes)) {
      const event = decodeEvent(frame, this.wire.base);
      if (event?.type === 'ready') this.ready = true;
      if (this.ready) this.cursor = frame.id;
      if (!event) continue;
      events.push(event);
      if (event.type === 'hello') {
        this.#patience = heartbeats * event.hbMs;
        this.#hear();
      } else if (event.type === 'end') {
        end = event.end;
        break;
      }
    }
    if (events.length > 0) onEvents(events);
    return end;
  }
}
