import { Cell, Connection, type ConnectionState, type Job, JobStore, type StreamEvent } from '../../stream';
import { Lingering } from '../../studio/linger';
import { served } from '../../base';
import { decodeStats, decodeWaiting, type Stats, type Waiting } from './events';

/** A change of page lets go of its topics and takes others: one new connection, not two. */
const settleMs = 120;
const lingerMs = 1_000;
/** Seconds of figures that are kept, for sparklines. */
export const historyS = 120;

/**
 * The one stream of the operators' pages. Pages hold topics; the stream has the union of them, plus `stats`, and is
 * opened again when the union changes.
 */
export class Live {
  readonly connection = new Cell<ConnectionState>(new Connection({ url: '', onEvents: () => {} }).state);
  readonly jobs = new JobStore();
  readonly stats = new Cell<Stats | null>(null);
  /** The last figures, oldest first, at most historyS. */
  readonly history = new Cell<readonly Stats[]>([]);
  readonly places = new Cell<ReadonlyMap<string, Waiting>>(new Map());
  readonly #held = new Map<string, number>();
  readonly #listeners = new Set<(job: Job) => void>();
  #connection: Connection | null = null;
  #topics = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unlisten: () => void = () => {};
  readonly #running = new Lingering(
    () => this.#start(),
    () => this.#stop(),
    lingerMs,
  );

  /** Keeps the stream open until the returned function is called. */
  hold(): () => void {
    return this.#running.hold();
  }

  /** Adds topics ("all", "job:<id>", "queue:<name>") until the returned function is called. */
  topics(...topics: string[]): () => void {
    for (const topic of topics) this.#held.set(topic, (this.#held.get(topic) ?? 0) + 1);
    this.#settle();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      for (const topic of topics) {
        const left = (this.#held.get(topic) ?? 1) - 1;
        if (left === 0) this.#held.delete(topic);
        else this.#held.set(topic, left);
      }
      this.#settle();
    };
  }

  /** Calls back for each new state of each job of the topics. */
  onJob(listener: (job: Job) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts again after a sign-in, or when a person asks. */
  reconnect(): void {
    this.#connection?.stop();
    this.#connection?.start();
  }

  #start(): void {
    const wake = () => this.#connection?.wake();
    const seen = () => document.visibilityState === 'visible' && wake();
    addEventListener('online', wake);
    addEventListener('pageshow', wake);
    document.addEventListener('visibilitychange', seen);
    this.#unlisten = () => {
      removeEventListener('online', wake);
      removeEventListener('pageshow', wake);
      document.removeEventListener('visibilitychange', seen);
    };
    this.#topics = '';
    this.#settle();
  }

  #stop(): void {
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#connection?.stop();
    this.#connection = null;
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), settleMs);
  }

  #open(): void {
    const wanted = ['stats', ...[...this.#held.keys()].sort()];
    const topics = wanted.map((topic) => `topic=${encodeURIComponent(topic)}`).join('&');
    if (topics === this.#topics && this.#connection !== null) return;
    this.#topics = topics;
    this.#connection?.stop();
    const connection: Connection = new Connection({
      url: served(`/v1/stream?${topics}`),
      onEvents: (events) => connection === this.#connection && this.#onAll(events),
      onState: (state) => connection === this.#connection && this.connection.set(state),
    });
    this.#connection = connection;
    connection.start();
  }

  #onAll(events: StreamEvent[]): void {
    this.jobs.batch(() => {
      for (const event of events) this.#on(event);
    });
  }

  #on(event: StreamEvent): void {
    if (event.type === 'job') {
      const fresh = this.jobs.apply(event.job);
      if (event.job.status !== 'queued' && this.places.get().has(event.job.id) && event.job.status === 'processing') {
        const places = new Map(this.places.get());
        places.delete(event.job.id);
        this.places.set(places);
      }
      if (fresh) for (const listener of [...this.#listeners]) listener(event.job);
    } else if (event.type === 'removed') {
      this.jobs.remove(event.id, event.rev);
    } else if (event.type === 'other' && event.name === 'stats') {
      const stats = decodeStats(event.data);
      this.stats.set(stats);
      this.history.set([...this.history.get().slice(1 - historyS), stats]);
    } else if (event.type === 'other' && event.name === 'place') {
      const place = decodeWaiting(event.data);
      this.places.set(new Map(this.places.get()).set(place.id, place));
    }
  }
}

/** The stream of this tab. */
export const live = new Live();
