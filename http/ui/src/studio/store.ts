import { advance, type Shown } from './advance';
import type { Job } from '@troupe/client';

/** Jobs kept at most; over it those that ended first are forgotten (the list of older ones brings them back). */
export const maxJobs = 1_000;

export interface StoreEvents {
  /** A job that was seen alive has ended. Once for each run. */
  onEnd?(job: Job): void;
  now?(): number;
}

/** The last known state of every job, for screens that show one or all. No framework: subscribe and get. */
export class JobStore {
  #jobs = new Map<string, Shown>();
  #ids: readonly string[] = [];
  #watchers = new Map<string, Set<() => void>>();
  #listWatchers = new Set<() => void>();
  #dirty: Set<string> | null = null;
  #listDirty = false;
  readonly #events: StoreEvents;

  constructor(events: StoreEvents = {}) {
    this.#events = events;
  }

  /** The state of a job. The same object until it changes. */
  get(id: string): Shown | undefined {
    return this.#jobs.get(id);
  }

  /** Ids, newest job first. The same array until a job comes or goes. */
  ids(): readonly string[] {
    return this.#ids;
  }

  /** Ids of the jobs that have not ended. */
  live(): string[] {
    return this.#ids.filter((id) => this.#jobs.get(id)?.job.terminal === false);
  }

  apply(job: Job): boolean {
    const seen = this.#jobs.get(job.id);
    const shown = advance(seen, job, (this.#events.now ?? Date.now)());
    if (shown === null) return false;
    this.#jobs.set(job.id, shown);
    this.#changed(job.id, seen === undefined);
    if (job.terminal && seen !== undefined && !(seen.job.terminal && seen.job.run === job.run))
      this.#events.onEnd?.(job);
    return true;
  }

  /** Forgets a job, unless a newer state of it than rev is known. */
  remove(id: string, rev = Number.POSITIVE_INFINITY): void {
    const seen = this.#jobs.get(id);
    if (seen === undefined || seen.job.rev > rev) return;
    this.#jobs.delete(id);
    this.#changed(id, true);
  }

  /** Applies many changes and tells the watchers once, at the end. */
  batch(changes: () => void): void {
    if (this.#dirty !== null) return changes();
    this.#dirty = new Set();
    try {
      changes();
    } finally {
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

  /** Watches all jobs: called after every change; ids() tells whether any came or went. */
  watchList(watcher: () => void): () => void {
    this.#listWatchers.add(watcher);
    return () => this.#listWatchers.delete(watcher);
  }

  #changed(id: string, listChanged: boolean): void {
    const alone = this.#dirty === null;
    this.#dirty ??= new Set();
    this.#dirty.add(id);
    this.#listDirty ||= listChanged;
    if (alone) this.#flush();
  }

  #flush(): void {
    const dirty = this.#dirty ?? new Set<string>();
    const listDirty = this.#listDirty;
    this.#dirty = null;
    this.#listDirty = false;
    if (listDirty) this.#sort();
    for (const id of dirty) for (const watcher of [...(this.#watchers.get(id) ?? [])]) watcher();
    if (dirty.size > 0) for (const watcher of [...this.#listWatchers]) watcher();
  }

  #sort(): void {
    const newest = [...this.#jobs.values()].sort(
      (a, b) => b.job.createdAt - a.job.createdAt || (a.job.id < b.job.id ? 1 : -1),
    );
    for (let i = newest.length - 1; i >= 0 && this.#jobs.size > maxJobs; i--) {
      const job = newest[i]?.job;
      if (job?.terminal) this.#jobs.delete(job.id);
    }
    this.#ids = newest.filter((shown) => this.#jobs.has(shown.job.id)).map((shown) => shown.job.id);
  }
}
