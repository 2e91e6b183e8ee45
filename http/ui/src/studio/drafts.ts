import type { VideoRequest } from '../api';
import { Cell } from '@troupe/client';

/** An order on its way: its card is on the screen before the server has answered. */
export interface Draft {
  /** The idempotency key, and for as long as the page lives the key of the card. */
  key: string;
  video: VideoRequest;
  sentAt: number;
}

/** One card of the wall. `id` is null until the server has named the job. */
export interface Entry {
  key: string;
  id: string | null;
  draft: Draft | null;
}

/**
 * Orders on their way, and which job each became. A card keeps its key when its order becomes a job, so that it is the
 * same element on the screen, with the focus where it was.
 */
export class Drafts {
  readonly #drafts = new Cell<readonly Draft[]>([]);
  readonly #keys = new Map<string, string>();

  add(draft: Draft): void {
    this.#drafts.set([draft, ...this.#drafts.get()]);
  }

  /** The order became a job, or with null nothing. */
  settle(key: string, id: string | null): void {
    if (id !== null) this.#keys.set(id, key);
    this.#drafts.set(this.#drafts.get().filter((draft) => draft.key !== key));
  }

  get(): readonly Draft[] {
    return this.#drafts.get();
  }

  watch(watcher: () => void): () => void {
    return this.#drafts.watch(watcher);
  }

  /**
   * The cards for these jobs, newest first. While orders are on their way, as many of the jobs that were made since are
   * held back: the stream may tell of a job before the answer to its order does, and it must not be shown twice.
   */
  entries(jobs: readonly { id: string; createdAt: number }[]): readonly Entry[] {
    const drafts = this.#drafts.get();
    const since = Math.min(...drafts.map((draft) => draft.sentAt));
    let held = drafts.length;
    const shown = jobs.filter((job) => {
      const hold = held > 0 && !this.#keys.has(job.id) && job.createdAt >= since;
      if (hold) held--;
      return !hold;
    });
    return [
      ...drafts.map((draft) => ({ key: draft.key, id: null, draft })),
      ...shown.map((job) => ({ key: this.#keys.get(job.id) ?? job.id, id: job.id, draft: null })),
    ];
  }
}
