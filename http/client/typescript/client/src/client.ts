import { Cell, type Watchable } from './cell.js';
import { Connection, type ConnectionState, type Fallback, idle, type Link, type LinkHost } from './connection.js';
import type { Stats, StreamEvent } from './events.js';
import type { Job } from './job.js';
import { Problem } from './problem.js';
import { type Jobs, JobStore } from './store.js';
import { maxTopics, shows, type Topic } from './topics.js';
import { type GetToken, Wire } from './wire.js';

/** How long a topic outlives the last who watches it: screens that are changed or mounted twice make no second connection. */
const lingerMs = 1_000;
/** Topics that come one after another are asked for together. */
const gatherMs = 50;
/** Revs told to the server at most, as it bounds them. */
const maxKnown = 500;

export interface TroupeOptions {
  /** Of the server, without a slash at the end; the page's own by default. */
  baseUrl?: string;
  getToken?: GetToken;
  /** "same-origin" by default; "include" sends cookies to a server of another origin. */
  credentials?: RequestCredentials;
  /** Jobs kept at most: 1,000 by default. */
  maxJobs?: number;
  /** What it does where no stream gets through: nothing by default, connect() has it poll. */
  fallback?: Fallback;
  /** How it hears of jobs: a connection of this page's by default, acrossTabs() for one of all tabs. */
  link?: (host: LinkHost) => Link;
  fetch?: typeof fetch;
}

export interface JobWatcher {
  /** The job or its place has changed, or is known now. */
  onChange?(job: Job | undefined): void;
  /** The job has ended. Once for each run, and at once if it had ended before; what a connection does never counts. */
  onComplete?(job: Job & { terminal: true }): void;
}

/**
 * A page's view of a server's jobs: what is watched by anybody on the page comes over one connection, which is opened with the first
 * and closed a second after the last.
 */
export class Troupe {
  readonly jobs: Jobs;
  readonly connection: Watchable<ConnectionState>;
  readonly stats: Watchable<Stats | null>;
  /** When the stream last said anything, be it that it is there: at least every 15 s while it is. By the page's clock. */
  heardAt = 0;
  /** For the functions that ask and follow. */
  readonly wire: Wire;
  readonly #state = new Cell(idle);
  readonly #stats = new Cell<Stats | null>(null);
  readonly #store: JobStore;
  readonly #watched = new Map<string, number>();
  readonly #openLink: (host: LinkHost) => Link;
  readonly #fallback: Fallback | undefined;
  #link: Link | null = null;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #stopListening: (() => void) | null = null;

  constructor(options: TroupeOptions = {}) {
    this.#fallback = options.fallback;
    this.connection = this.#state;
    this.stats = this.#stats;
    this.jobs = this.#store = new JobStore(options.maxJobs ?? 1_000);
    this.#openLink = options.link ?? ((host) => new Connection(host));
    const send = options.fetch ?? ((input: RequestInfo | URL, init?: RequestInit) => fetch(input, init));
    this.wire = new Wire((options.baseUrl ?? '').replace(/\/$/, ''), send, options.getToken, options.credentials ?? 'same-origin');
  }

  /** Watches one job. Throws a Problem when more topics are watched than one stream may have. */
  watchJob(id: string, watcher: JobWatcher): () => void {
    let completed = 0;
    const tell = () => {
      const job = this.#store.get(id);
      watcher.onChange?.(job);
      if (job?.terminal && job.run > completed) {
        completed = job.run;
        watcher.onComplete?.(job);
      }
    };
    const forget = this.watch(`job:${id}`);
    const unwatch = this.#store.watch(id, tell);
    let active = true;
    if (this.#store.get(id)) queueMicrotask(() => active && tell());
    return () => {
      active = false;
      unwatch();
      forget();
    };
  }

  /** Watches a topic. Throws a Problem when there are too many. */
  watch(topic: Topic): () => void {
    if (!this.#watched.has(topic) && this.#watched.size >= maxTopics) throw new Problem(0, 'too_many_topics');
    this.#watched.set(topic, (this.#watched.get(topic) ?? 0) + 1);
    this.#settleSoon();
    let done = false;
    return () => {
      if (done) return;
      done = true;
      const left = (this.#watched.get(topic) ?? 1) - 1;
      this.#watched.set(topic, left);
      if (left > 0) return;
      setTimeout(() => {
        if (this.#watched.get(topic) !== 0) return;
        this.#watched.delete(topic);
        this.#settleSoon();
      }, lingerMs);
    };
  }

  /** Tries again at once, also after the end: after a sign-in, for instance. */
  reconnect(): void {
    this.wire.expire();
    if (this.#state.get().phase === 'closed') this.#settle();
    else this.#link?.wake(true);
  }

  /** Takes what an answer said about a job, if it is newer. */
  apply(job: Job): void {
    this.#onEvents([{ type: 'job', job }]);
  }

  #onEvents(events: StreamEvent[]): void {
    let revived = false;
    this.#store.batch(() => {
      for (const event of events) {
        if (event.type === 'job') {
          const ended = this.#store.get(event.job.id)?.terminal;
          if (this.#store.apply(event.job) && ended && !event.job.terminal) revived = true;
        } else if (event.type === 'removed') this.#store.remove(event.id, event.rev);
        else if (event.type === 'place') this.#store.stand(event.place);
        else if (event.type === 'stats') this.#stats.set(event.stats);
      }
    });
    if (revived) this.#settleSoon();
  }

  #settleSoon(): void {
    this.#settling ??= setTimeout(() => this.#settle(), this.#state.get().covered.length === 0 ? 0 : gatherMs);
  }

  /** Tells the link what is wanted: what is watched, unless there are only jobs that have ended. Among others these may be given another run. */
  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    const wanted = [...this.#watched.keys()];
    const ended = (topic: string) => topic.startsWith('job:') && this.#store.get(topic.slice(4))?.terminal;
    const covered = this.#state.get().covered;
    // What has ended by itself costs the server nothing: no stream is made anew to be rid of it.
    const superfluous = covered.filter((topic) => !this.#watched.has(topic) && !ended(topic));
    if (wanted.every(ended)) {
      if (this.#watched.size === 0 || this.#state.get().phase === 'closed') this.#close();
      return;
    }
    if (this.#state.get().phase === 'live' && superfluous.length === 0 && wanted.every((topic) => covered.includes(topic))) return;
    this.#listen();
    this.#link ??= this.#openLink(this.#host());
    this.#link.want(wanted.sort());
  }

  #close(): void {
    this.#link?.want([]);
    this.#stopListening?.();
    this.#stopListening = null;
  }

  #host(): LinkHost {
    return {
      wire: this.wire,
      fallback: this.#fallback,
      jobs: this.jobs,
      known: () => {
        const liveFirst = [...this.jobs.all()].sort((a, b) => +a.terminal - +b.terminal);
        return Object.fromEntries(liveFirst.slice(0, maxKnown).map((job) => [job.id, job.rev]));
      },
      onEvents: (events) => {
        this.heardAt = Date.now();
        this.#onEvents(events);
      },
      onState: (state) => this.#state.set(state),
    };
  }

  #listen(): void {
    if (this.#stopListening || typeof document === 'undefined') return;
    const wake = ({ type, persisted }: Event & { persisted?: boolean }) => {
      if (type === 'pagehide') return this.#link?.want([]); // a page that is kept for the way back would keep its stream
      if (persisted) return this.#settle();
      const isOffline = type === 'offline';
      if (!isOffline && (document.hidden || type === 'pageshow')) return;
      setTimeout(() => this.#link?.wake(type !== 'visibilitychange'), isOffline ? lingerMs : 0); // what is tried after this is in no doubt
    };
    const stop = new AbortController();
    for (const what of ['online', 'offline', 'pagehide', 'pageshow', 'visibilitychange']) addEventListener(what, wake, { signal: stop.signal }); // the last one bubbles
    this.#stopListening = () => stop.abort();
  }
}

/** The jobs of a topic among those that are known. */
export function jobsOf(jobs: readonly Job[], topic: Topic): Job[] {
  return jobs.filter((job) => shows(topic, job));
}
