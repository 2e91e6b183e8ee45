import { Attempt, type Outcome } from './attempt.js';
import { backoff } from './backoff.js';
import type { Fault, StreamEvent } from './events.js';
import type { Problem } from './problem.js';
import type { Jobs } from './store.js';
import type { Wire } from './wire.js';

/** Signs of life from the browser reconnect at once, but not more often than this. */
const wakeMs = 1_000;

export type Phase =
  /** Nobody watches. */
  | 'idle'
  | 'connecting'
  | 'live'
  | 'reconnecting'
  /** The stream is mute: the jobs are asked for every few seconds, while attempts at the stream go on. */
  | 'polling'
  /** Until somebody watches something else, or reconnect() is called. `reason` says why. */
  | 'closed';

export interface ConnectionState {
  readonly phase: Phase;
  /** When the next attempt is due, by the page's clock. */
  readonly retryAt: number | null;
  /** Of the end: done, revoked, superseded, refused, fault. */
  readonly reason: string | null;
  /** Why the server refused, with reason "refused". */
  readonly problem: Problem | null;
  /** The server has trouble behind the stream; what is on the screen may be old. */
  readonly fault: Fault | null;
  /** The topics that the stream has told everything about: where nothing is shown of these, there is nothing. */
  readonly covered: readonly string[];
  /** How far the server's clock is ahead of the page's, in milliseconds. */
  readonly skewMs: number;
}

export const idle: ConnectionState = { phase: 'idle', retryAt: null, reason: null, problem: null, fault: null, covered: [], skewMs: 0 };

/** How jobs are asked for where no stream gets through, or shows them. */
export interface Fallback {
  /** Asks again and again, until the answer is called. */
  poll(host: LinkHost, topics: () => readonly string[]): () => void;
  /** Asks once about the jobs among these topics that a stream did not show: it can't tell "not yet" from "never". */
  lookUp(host: LinkHost, topics: readonly string[]): void;
}

/** What a link serves. */
export interface LinkHost {
  readonly wire: Wire;
  readonly fallback: Fallback | undefined;
  readonly jobs: Jobs;
  /** The revs of jobs that need not be sent again: at most 500, the live ones first. */
  known(): Record<string, number>;
  onEvents(events: StreamEvent[]): void;
  onState(state: ConnectionState): void;
}

/** How a client hears of its topics: by a connection of its own, or one that is shared. */
export interface Link {
  /** What is wanted from now on. Nothing: the connection is closed. */
  want(topics: readonly string[]): void;
  /** The browser is back, or the user asks. `anew`: what looks alive may be dead, because it was offline or frozen. */
  wake(anew: boolean): void;
}

/**
 * One stream, kept alive:
 *
 *   idle ─want─▶ connecting ─bytes─▶ live ─lost, end─▶ reconnecting ─due, wake─▶ (connecting)
 *                    └─no byte in 10 s─▶ polling ─bytes─▶ live
 *   any ─4xx, done, revoked, superseded, fatal─▶ closed      any ─want nothing─▶ idle
 *
 * When the topics change while it is live, the next stream is ready before the old one is dropped. Only a terminal job event means
 * that a job is done; the end of a connection never does.
 */
export class Connection implements Link {
  #state = idle;
  #topics: readonly string[] = [];
  /** The stream that is ready, and the one that is to take its place. */
  #live: Attempt | null = null;
  #next: Attempt | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** Where the last ready stream stood, and on which topics: of other topics it says nothing. */
  #since = { topics: '', cursor: '' };
  #stopPolling: (() => void) | undefined;

  constructor(readonly host: LinkHost) {}

  want(topics: readonly string[]): void {
    if (!topics[0]) return this.#halt(idle);
    if (topics.join() === this.#topics.join()) return;
    this.#topics = topics;
    this.#failures = 0;
    this.#run();
  }

  wake(anew: boolean): void {
    if (!this.#topics[0]) return;
    if (anew) this.#failures = 0; // what failed was another network
    const early = this.#triedAt + wakeMs - Date.now();
    if (early > 0) {
      if (this.#timer) this.#runIn(early);
    } else if (anew || this.#timer || (this.#next ?? this.#live)?.overdue()) {
      if (this.#live) this.#set({ phase: 'reconnecting' }); // it may be dead
      this.#drop();
      this.#run();
    }
  }

  #run(): void {
    this.#rest();
    this.#next?.stop();
    const topics = this.#topics;
    const next = new Attempt(this.host.wire, topics);
    this.#next = next;
    this.#triedAt = Date.now();
    const { phase } = this.#state;
    this.#set({ retryAt: null, reason: null, problem: null, phase: phase === 'idle' || phase === 'closed' ? 'connecting' : phase });
    const since = this.#since.topics === topics.join() ? this.#since.cursor : '';
    void next.run(this.host.known(), since, (events) => this.#take(next, events)).then((outcome) => this.#after(next, outcome));
  }

  #take(from: Attempt, events: StreamEvent[]): void {
    if (from !== this.#live && from !== this.#next) return;
    this.host.onEvents(events);
    for (const event of events) {
      if (event.type === 'hello') {
        this.#set({ phase: 'live', skewMs: event.serverNow === null ? 0 : event.serverNow - Date.now() });
      } else if (event.type === 'ready') {
        if (from === this.#next) {
          this.#live?.stop();
          this.#live = from;
          this.#next = null;
        }
        this.#failures = 0;
        this.#quiet();
        this.#set({ fault: null, covered: from.topics });
        this.host.fallback?.lookUp(this.host, from.topics);
      } else if (event.type === 'fault') {
        this.#set({ fault: event.fault });
        if (event.fault.fatal) this.#halt({ phase: 'closed', reason: 'fault' });
      } else if (event.type === 'job' && this.#state.fault) {
        this.#set({ fault: null });
      }
    }
    if (from === this.#live && from.cursor) this.#since = { topics: from.topics.join(), cursor: from.cursor };
  }

  #after(from: Attempt, outcome: Outcome): void {
    if (from === this.#live) {
      this.#live = null;
      if (this.#next) return; // which is on its way
    } else if (from === this.#next) this.#next = null;
    else return;
    if (outcome.type === 'refused') {
      if (!this.#live) return this.#halt({ phase: 'closed', reason: 'refused', problem: outcome.problem });
      this.#topics = this.#live.topics; // a refusal of more does not end what there is
      return this.#set({ problem: outcome.problem });
    }
    if (outcome.type === 'ended') return this.#afterEnd(outcome.end.reason, outcome.end.retryMs);
    this.#wait(++this.#failures, outcome.retryMs ?? this.#state.fault?.retryMs ?? null, outcome.mute);
  }

  #afterEnd(reason: string, retryMs: number | null): void {
    switch (reason) {
      case 'done':
      case 'revoked':
      case 'superseded':
        return this.#halt({ phase: 'closed', reason });
      case 'expired':
        this.host.wire.expire();
        return this.#wait(this.#failures++, null, false);
      default:
        // The server spreads its clients by the delay that it names: no jitter of our own on top.
        return this.#wait(retryMs === null ? ++this.#failures : 0, retryMs, false);
    }
  }

  #wait(failures: number, asked: number | null, mute: boolean): void {
    const ms = backoff(failures, asked);
    if (mute) this.#stopPolling ??= this.host.fallback?.poll(this.host, () => this.#topics);
    this.#runIn(ms, this.#live ? 'live' : mute || this.#state.phase === 'polling' ? 'polling' : 'reconnecting');
  }

  #runIn(ms: number, phase = this.#state.phase): void {
    this.#set({ phase, retryAt: Date.now() + ms });
    this.#rest();
    this.#timer = setTimeout(() => this.#run(), ms);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #halt(change: Partial<ConnectionState>): void {
    this.#drop();
    this.#quiet();
    this.#topics = [];
    this.#set({ retryAt: null, ...change });
  }

  #drop(): void {
    this.#rest();
    this.#live?.stop();
    this.#next?.stop();
    this.#live = this.#next = null;
  }

  #quiet(): void {
    this.#stopPolling?.();
    this.#stopPolling = undefined;
  }

  #set(change: Partial<ConnectionState>): void {
    this.#state = { ...this.#state, ...change };
    this.host.onState(this.#state);
  }
}
