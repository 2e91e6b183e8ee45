/** A value that is the same object until it changes, and whoever tells when it does. */
export interface Watchable<T> {
  get(): T;
  watch(watcher: () => void): () => void;
}

/** One value that can be watched. */
export class Cell<T> implements Watchable<T> {
  #value: T;
  readonly #watchers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
