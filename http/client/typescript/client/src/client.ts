import { Cell, type Watchable } from './cell.js';
import { Connection, type ConnectionState, type Fallback, idle, type Link, type LinkHost } from './connection.js';
import type { Place, Stats, StreamEvent } from './events.js';
import type { Job } from './job.js';
import { Problem } from './problem.js';
import { JobStore } from './store.js';
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
  readonly connection: Watchable<ConnectionState>;
  readonly stats: Watchable<Stats | null>;
  /** For the functions that ask and follow. */
  readonly wire: Wire;
  readonly #state = new Cell(idle);
  readonly #stats = new Cell<Stats | null>(null);
  readonly #store: JobStore;
  readonly #watched = new Map<string, number>();
  readonly #missing = new Set<string>();
  readonly #openLink: (host: LinkHost) => Link;
  readonly #fallback: Fallback | undefined;
  #link: Link | null = null;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #stopListening: (() => void) | null = null;

  constructor(options: TroupeOptions = {}) {
    this.#fallback = options.fallback;
    this.connection = this.#state;
    this.stats = this.#stats;
    this.#store = new JobStore(options.maxJobs ?? 1_000);
    this.#openLink = options.link ?? ((host) => new Connection(host));
    const send = options.fetch ?? ((input: RequestInfo | URL, init?: RequestInit) => fetch(input, init));
    this.wire = new Wire((options.baseUrl ?? '').replace(/\/$/, ''), send, options.getToken, options.credentials ?? 'same-origin');
  }

  /** The last known state of a job. The same object until it changes. */
  job(id: string): Job | undefined {
    return this.#store.get(id);
  }

  /** Where a waiting job stands. */
  place(id: string): Place | undefined {
    return this.#store.place(id);
  }

  /** The server knows no such job, or not any more. */
  isMissing(id: string): boolean {
    return this.#missing.has(id);
  }

  /** All jobs that are known, newest first. The same array until any changes. */
  jobs(): readonly Job[] {
    return this.#store.all();
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

  /** Called when a job or its place has changed; watches nothing by itself. */
  onJob(id: string, watcher: () => void): () => void {
    return this.#store.watch(id, watcher);
  }

  /** Called when any job has changed; watches nothing by itself. */
  onJobs(watcher: () => void): () => void {
    return this.#store.watchAll(watcher);
  }

  /** Watches a topic; `onChange` is called after any job has changed. Throws a Problem when there are too many topics. */
  watch(topic: Topic, onChange?: () => void): () => void {
    if (!this.#watched.has(topic) && this.#watched.size >= maxTopics)
      throw new Problem(0, 'too_many_topics', `one stream has at most ${maxTopics} topics`);
    this.#watched.set(topic, (this.#watched.get(topic) ?? 0) + 1);
    const unwatch = onChange && this.#store.watchAll(onChange);
    this.#settleSoon();
    let done = false;
    return () => {
      if (done) return;
      done = true;
      unwatch?.();
      const left = (this.#watched.get(topic) ?? 1) - 1;
      this.#watched.set(topic, left);
      if (left > 0) return;
      setTimeout(() => {
        if (this.#watched.get(topic) !== 0) return;
        this.#watched.delete(topic);
        this.#missing.delete(topic.slice(4));
        this.#settleSoon();
      }, lingerMs);
    };
  }

  /** Tries again at once, also after the end: after a sign-in, for instance. */
  reconnect(): void {
    this.wire.expire();
    this.#settle();
    this.#link?.reconnect();
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
          this.#missing.delete(event.job.id);
          if (this.#store.apply(event.job) && ended && !event.job.terminal) revived = true;
        } else if (event.type === 'removed') {
          if (event.rev === Number.POSITIVE_INFINITY) this.#missing.add(event.id);
          this.#store.remove(event.id, event.rev);
        } else if (event.type === 'place') this.#store.stand(event.place);
        else if (event.type === 'stats') this.#stats.set(event.stats);
      }
    });
    if (revived) this.#settleSoon();
  }

  #settleSoon(): void {
    this.#settling ??= setTimeout(() => this.#settle(), this.#state.get().covered.length === 0 ? 0 : gatherMs);
  }

  /** Tells the link what is wanted: what is watched, without the jobs that have ended. */
  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    const wanted = [...this.#watched.keys()].filter((topic) => !this.#store.get(topic.slice(4))?.terminal || !topic.startsWith('job:'));
    const covered = this.#state.get().covered;
    // What has ended by itself costs the server nothing: no stream is made anew to be rid of it.
    const superfluous = covered.filter((topic) => !wanted.includes(topic) && !this.#store.get(topic.slice(4))?.terminal);
    if (wanted.length === 0) {
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
      known: () => {
        const jobs = [...this.#store.all()].sort((a, b) => Number(a.terminal) - Number(b.terminal));
        return Object.fromEntries(jobs.slice(0, maxKnown).map((job) => [job.id, job.rev]));
      },
      jobs: () => this.#store.all(),
      place: (id) => this.#store.place(id),
      onEvents: (events) => this.#onEvents(events),
      onState: (state) => this.#state.set(state),
    };
  }

  #listen(): void {
    if (this.#stopListening || typeof document === 'undefined') return;
    const stop = new AbortController();
    const { signal } = stop;
    this.#stopListening = () => stop.abort();
    addEventListener('online', () => this.#link?.wake(true), { signal });
    addEventListener('pageshow', (event) => event.persisted && this.#link?.wake(true), { signal });
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#link?.wake(false), { signal });
  }
}

/** The jobs of a topic among those that are known. */
export function jobsOf(jobs: readonly Job[], topic: Topic): Job[] {
  return jobs.filter((job) => shows(topic, job));
}
