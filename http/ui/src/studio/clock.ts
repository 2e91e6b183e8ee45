/** The difference between the server's clock and the page's, so that its times can be counted down to here. */
export class ServerClock {
  #ahead = 0;

  set(aheadMs: number): void {
    this.#ahead = aheadMs;
  }

  /** A time of the server's in the page's own. */
  local(serverTime: number): number {
    return serverTime - this.#ahead;
  }
}
