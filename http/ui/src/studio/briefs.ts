import { type Brief, getJob, Problem, type Resource } from '../api';

/** Requests at once. */
const maxAtOnce = 4;
const maxTries = 3;
const retryMs = 2_000;

/** What jobs were asked for, by id. Read once each, a few at a time, for those that are on the screen. */
export class Briefs {
  readonly #briefs = new Map<string, Brief>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #wanted = new Map<string, number>();
  readonly #busy = new Set<string>();
  #isOpen = false;
  readonly #onResource: (resource: Resource) => void;
  readonly #onGone: (id: string) => void;

  constructor(onResource: (resource: Resource) => void, onGone: (id: string) => void) {
    this.#onResource = onResource;
    this.#onGone = onGone;
  }

  get(id: string): Brief | undefined {
    return this.#briefs.get(id);
  }

  set(id: string, brief: Brief): void {
    this.#briefs.set(id, brief);
    for (const watcher of [...(this.#watchers.get(id) ?? [])]) watcher();
  }

  /** Watching a brief that is not known asks for it. */
  watch(id: string, watcher: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(watcher));
    if (!this.#briefs.has(id)) this.read(id);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id);
    };
  }

  /** Reads the resource again, also if it is known. */
  read(id: string): void {
    if (!this.#busy.has(id)) this.#wanted.set(id, this.#wanted.get(id) ?? 0);
    this.#next();
  }

  /** Begins to ask. Until then the first list, which has most of them, is awaited. */
  open(): void {
    this.#isOpen = true;
    this.#next();
  }

  forget(id: string): void {
    this.#briefs.delete(id);
    this.#wanted.delete(id);
  }

  #next(): void {
    if (!this.#isOpen) return;
    for (const [id, tries] of this.#wanted) {
      if (this.#busy.size >= maxAtOnce) return;
      this.#wanted.delete(id);
      this.#busy.add(id);
      void this.#fetch(id, tries + 1);
    }
  }

  async #fetch(id: string, tries: number): Promise<void> {
    try {
      const resource = await getJob(id);
      if (resource?.brief) this.set(id, resource.brief);
      if (resource) this.#onResource(resource);
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 404) this.#onGone(id);
      else if (tries < maxTries) setTimeout(() => this.#again(id, tries), retryMs * tries);
    } finally {
      this.#busy.delete(id);
      this.#next();
    }
  }

  #again(id: string, tries: number): void {
    this.#wanted.set(id, tries);
    this.#next();
  }
}
