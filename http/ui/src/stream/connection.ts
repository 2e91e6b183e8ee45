import { attempt, type Outcome } from './attempt';
import { backoff } from './backoff';
import type { Fault, StreamEvent } from './events';
import { Watchdog } from './watchdog';

/** No byte for this long after connecting: a proxy holds the stream back, so the page must ask instead. */
export const muteMs = 10_000;
/** Silence of this many heartbeats is a dead connection. */
const heartbeats = 2.5;
/** Signs of life from the browser reconnect at once, but not more often than this. */
const wakeMs = 1_000;

export type Phase =
  | 'idle'
  | 'connecting'
  | 'live'
  | 'reconnecting'
  /** The stream is mute: ask for the jobs every few seconds, while attempts at the stream go on. */
  | 'polling'
  /** The server wants to know who we are: call start() again after signing in. */
  | 'signed_out'
  /** For good, until start() is called again. `reason` says why. */
  | 'closed';

export interface ConnectionState {
  readonly phase: Phase;
  /** When the next attempt is due, by the page's clock. */
  readonly retryAt: number | null;
  readonly reason: string | null;
  /** The server has trouble behind the stream; what is on the screen may be old. */
  readonly fault: Fault | null;
  /** The stream has told everything at least once: now an empty list means that there is nothing. */
  readonly complete: boolean;
}

export interface ConnectionOptions {
  url: string;
  /** Everything that one read brought, in order. */
  onEvents(events: StreamEvent[]): void;
  onState?(state: ConnectionState): void;
  fetch?: typeof fetch;
  random?: () => number;
}

/**
 * One stream, kept alive:
 *
 *   idle ─start─▶ connecting ─bytes─▶ live ─lost, end─▶ reconnecting ─due, wake─▶ (connecting)
 *                     └─no byte in 10 s─▶ polling ─bytes─▶ live
 *   any ─401─▶ signed_out      any ─4xx, done, revoked, fatal─▶ closed      any ─stop─▶ idle
 *
 * Only a terminal job event means that a job is done; the end of a connection never does.
 */
export class Connection {
  state: ConnectionState = { phase: 'idle', retryAt: null, reason: null, fault: null, complete: false };
  readonly #options: ConnectionOptions;
  readonly #watchdog = new Watchdog(() => this.#abort?.abort());
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #lastEventId = '';
  #retryMs: number | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#abort !== null) return;
    this.#failures = 0;
    this.#set({ phase: 'connecting', reason: null });
    void this.#run();
  }

  stop(): void {
    this.#halt({ phase: 'idle', fault: null });
  }

  /** The browser is back: online, visible or restored. Reconnects at once if the connection waits or is long silent. */
  wake(): void {
    if (Date.now() - this.#triedAt < wakeMs) return;
    if (this.#timer !== undefined) void this.#run();
    else if (this.#watchdog.overdue()) this.#abort?.abort();
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const abort = new AbortController();
    this.#abort = abort;
    this.#triedAt = Date.now();
    this.#retryMs = null;
    this.#set({ retryAt: null });
    this.#watchdog.set(muteMs);
    const outcome = await attempt({
      url: this.#options.url,
      lastEventId: this.#lastEventId,
      fetch: this.#options.fetch ?? fetch.bind(globalThis),
      signal: abort.signal,
      onBytes: () => this.#watchdog.feed(),
      onRetry: (ms) => {
        this.#retryMs = ms;
      },
      onEvents: (events, lastEventId) => {
        if (this.#abort === abort) this.#deliver(events, lastEventId);
      },
    });
    if (this.#abort === abort) this.#after(outcome);
  }

  #deliver(events: StreamEvent[], lastEventId: string): void {
    this.#lastEventId = lastEventId;
    this.#options.onEvents(events);
    for (const event of events) {
      if (event.type === 'hello') {
        this.#watchdog.set(heartbeats * event.hbMs);
        this.#set({ phase: 'live', fault: null });
      } else if (event.type === 'ready') {
        this.#failures = 0;
        this.#set({ complete: true, fault: null });
      } else if (event.type === 'fault') {
        this.#set({ fault: event.fault });
        if (event.fault.fatal) this.#halt({ phase: 'closed', reason: event.fault.code });
      } else if (event.type === 'job' && this.state.fault !== null) {
        this.#set({ fault: null });
      }
    }
  }

  #after(outcome: Outcome): void {
    this.#watchdog.stop();
    switch (outcome.type) {
      case 'done':
        return this.#halt({ phase: 'closed', reason: 'done' });
      case 'refused':
        if (outcome.status === 401) return this.#halt({ phase: 'signed_out' });
        return this.#halt({ phase: 'closed', reason: `refused_${outcome.status}` });
      case 'ended':
        return this.#afterEnd(outcome.end.reason, outcome.end.retryMs);
      case 'lost': {
        this.#failures++;
        const mute = !outcome.heard && Date.now() - this.#triedAt >= muteMs;
        const asked = outcome.retryMs ?? this.#retryMs ?? this.state.fault?.retryMs ?? null;
        return this.#wait(this.#failures, asked, mute ? 'polling' : 'reconnecting');
      }
    }
  }

  #afterEnd(reason: string, retryMs: number | null): void {
    switch (reason) {
      case 'done':
      case 'revoked':
      case 'superseded':
        return this.#halt({ phase: 'closed', reason });
      case 'expired':
        // The session is over, or was renewed in another tab: the next answer tells which.
        return this.#wait(++this.#failures, null, 'reconnecting');
      default: {
        // The server spreads its clients by the delay that it names: no jitter of our own on top.
        const asked = retryMs ?? this.#retryMs;
        return this.#wait(asked === null ? ++this.#failures : 0, asked, 'reconnecting');
      }
    }
  }

  #wait(failures: number, asked: number | null, phase: Phase): void {
    const ms = backoff(failures, asked, this.#options.random ?? Math.random);
    this.#set({ phase, retryAt: Date.now() + ms });
    this.#timer = setTimeout(() => void this.#run(), ms);
  }

  #halt(change: Partial<ConnectionState>): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watchdog.stop();
    const abort = this.#abort;
    this.#abort = null;
    abort?.abort();
    this.#set({ retryAt: null, ...change });
  }

  #set(change: Partial<ConnectionState>): void {
    this.state = { ...this.state, ...change };
    this.#options.onState?.(this.state);
  }
}
