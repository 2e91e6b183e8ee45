import { Cell } from '@troupe/client';

/** How long a cancel can be taken back. */
export const undoMs = 5_000;

/** Cancels that were asked for and not yet sent: by job, the time when they will be, by the page's clock. */
export class Cancels {
  readonly pending = new Cell<ReadonlyMap<string, number>>(new Map());
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #send: (id: string, keepalive: boolean) => void;

  constructor(send: (id: string, keepalive: boolean) => void) {
    this.#send = send;
  }

  ask(id: string): void {
    if (this.#timers.has(id)) return;
    this.#timers.set(
      id,
      setTimeout(() => this.#release(id, false), undoMs),
    );
    this.pending.set(new Map(this.pending.get()).set(id, Date.now() + undoMs));
  }

  undo(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const pending = new Map(this.pending.get());
    if (pending.delete(id)) this.pending.set(pending);
  }

  /** Sends what waits, now: the page is going away. */
  flush(): void {
    for (const id of [...this.#timers.keys()]) this.#release(id, true);
  }

  #release(id: string, keepalive: boolean): void {
    this.undo(id);
    this.#send(id, keepalive);
  }
}
