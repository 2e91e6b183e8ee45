/**
 * Something that runs while anybody holds it. It is stopped only some time after the last one let go, so that a
 * component that is mounted twice, or a change of page, does not stop and start it.
 */
export class Lingering {
  #holders = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  readonly #start: () => void;
  readonly #stop: () => void;
  readonly #lingerMs: number;

  constructor(start: () => void, stop: () => void, lingerMs: number) {
    this.#start = start;
    this.#stop = stop;
    this.#lingerMs = lingerMs;
  }

  /** Returns how to let go, which may be called more than once. */
  hold(): () => void {
    this.#holders++;
    clearTimeout(this.#timer);
    if (!this.#running) {
      this.#running = true;
      this.#start();
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders--;
      if (this.#holders === 0) this.#timer = setTimeout(() => this.#end(), this.#lingerMs);
    };
  }

  #end(): void {
    this.#running = false;
    this.#stop();
  }
}
