/** Calls back once when it was not fed for the time it was set to. Counting begins when it is set. */
export class Watchdog {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ms = 0;
  #fedAt = 0;
  readonly #bite: () => void;

  constructor(bite: () => void) {
    this.#bite = bite;
  }

  set(ms: number): void {
    this.#ms = ms;
    this.feed();
  }

  feed(): void {
    if (this.#ms === 0) return;
    this.#fedAt = Date.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#bite, this.#ms);
  }

  /** Whether it should have bitten already: timers stand still while a laptop sleeps or a page is frozen. */
  overdue(): boolean {
    return this.#ms > 0 && Date.now() - this.#fedAt > this.#ms;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#ms = 0;
  }
}
