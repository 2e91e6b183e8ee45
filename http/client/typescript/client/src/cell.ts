/** A value that is the same object until it changes, and whoever tells when it does. */
export interface Watchable<T> {
  get(): T;
  watch(watcher: () => void): () => void;
}

/** Calls every one, also if some throw: a fault of one screen must not end the stream of all. */
export function tell(watchers: Iterable<() => void> | undefined): void {
  for (const watcher of [...(watchers ?? [])]) {
    try {
      watcher();
    } catch (fault) {
      setTimeout(() => {
        throw fault; // where faults that nobody caught are reported
      });
    }
  }
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
    tell(this.#watchers);
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
