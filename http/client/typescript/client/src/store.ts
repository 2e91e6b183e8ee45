import { tell } from './cell.js';
import type { Place } from './events.js';
import { type Job, waits } from './job.js';

/** The last known state of every job. Who reads or watches here asks the server for nothing. */
export interface Jobs {
  /** The state of a job. The same object until it changes. */
  get(id: string): Job | undefined;
  /** Where a waiting job stands. */
  place(id: string): Place | undefined;
  /** The server knows no such job, or not any more. */
  isMissing(id: string): boolean;
  /** All jobs, newest first. The same array until any changes. */
  all(): readonly Job[];
  /** Calls back after the job, or its place, has changed. */
  watch(id: string, watcher: () => void): () => void;
  /** Calls back after any job has changed. */
  watchAll(watcher: () => void): () => void;
}

/** The jobs, bounded. */
export class JobStore implements Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #places = new Map<string, Place>();
  readonly #missing = new Set<string>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #listWatchers = new Set<() => void>();
  #dirty = new Set<string>();
  #depth = 0;
  #newest: readonly Job[] | null = [];

  /** Over `max` jobs, those that nobody watches are forgotten, the ended ones first. */
  constructor(readonly max: number) {}

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  place(id: string): Place | undefined {
    return this.#places.get(id);
  }

  isMissing(id: string): boolean {
    return this.#missing.has(id);
  }

  all(): readonly Job[] {
    this.#newest ??= [...this.#jobs.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    return this.#newest;
  }

  /** The rule of the stream: a state is applied if and only if its rev is greater than the one seen. */
  apply(job: Job): boolean {
    const seen = this.#jobs.get(job.id);
    this.#missing.delete(job.id);
    if (seen && job.rev <= seen.rev) return false;
    this.#jobs.set(job.id, job);
    if (!waits(job.status)) this.#places.delete(job.id);
    this.#touch(job.id);
    if (this.#jobs.size > this.max) this.#evict();
    return true;
  }

  /** Keeps the place of a job that waits. */
  stand(place: Place): void {
    const job = this.#jobs.get(place.id);
    if (!job || !waits(job.status)) return;
    this.#places.set(place.id, place);
    this.#touch(place.id);
  }

  /** Forgets a job, unless a newer state of it than rev is known. With a rev without bound there is none. */
  remove(id: string, rev: number): void {
    const seen = this.#jobs.get(id);
    if (seen && seen.rev > rev) return;
    if (rev === Number.POSITIVE_INFINITY && this.#missing.size < this.max) this.#missing.add(id);
    this.#forget(id);
    this.#touch(id);
  }

  /** Applies many changes and tells the watchers once, at the end. */
  batch(changes: () => void): void {
    this.#depth++;
    try {
      changes();
    } finally {
      this.#depth--;
      this.#flush();
    }
  }

  watch(id: string, watcher: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id);
    };
  }

  watchAll(watcher: () => void): () => void {
    this.#listWatchers.add(watcher);
    return () => this.#listWatchers.delete(watcher);
  }

  #touch(id: string): void {
    this.#newest = null;
    this.#dirty.add(id);
    this.#flush();
  }

  #flush(): void {
    if (this.#depth > 0 || this.#dirty.size === 0) return;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const id of dirty) tell(this.#watchers.get(id));
    tell(this.#listWatchers);
  }

  #forget(id: string): void {
    this.#jobs.delete(id);
    this.#places.delete(id);
  }

  #evict(): void {
    const idle = [...this.#jobs.values()].filter((job) => !this.#watchers.has(job.id));
    idle.sort((a, b) => +b.terminal - +a.terminal || a.updatedAt - b.updatedAt);
    const over = this.#jobs.size - Math.floor(this.max * 0.9); // a tenth at once, so that not every job sorts
    for (const job of idle.slice(0, over)) {
      this.#forget(job.id);
      this.#dirty.add(job.id);
    }
  }
}
