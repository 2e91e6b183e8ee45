/** Calls a function again and again, with a pause between one's end and the next one's start. */
export class Poller {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | null = null;
  readonly #poll: (signal: AbortSignal) => Promise<void>;
  readonly #pauseMs: number;

  constructor(poll: (signal: AbortSignal) => Promise<void>, pauseMs: number) {
    this.#poll = poll;
    this.#pauseMs = pauseMs;
  }

  start(): void {
    if (this.#abort !== null) return;
    const abort = new AbortController();
    this.#abort = abort;
    void this.#round(abort.signal);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    clearTimeout(this.#timer);
  }

  async #round(signal: AbortSignal): Promise<void> {
    await this.#poll(signal).catch(() => undefined); // the next round is the remedy
    if (!signal.aborted) this.#timer = setTimeout(() => void this.#round(signal), this.#pauseMs);
  }
}
