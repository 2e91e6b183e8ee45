/** The difference between the server's clock and the page's, so that its times can be counted down to here. */
export class ServerClock {
  #ahead = 0;

  heard(serverNow: number | null): void {
    if (serverNow !== null) this.#ahead = serverNow - Date.now();
  }

  /** A time of the server's in the page's own. */
  local(serverTime: number): number {
    return serverTime - this.#ahead;
  }
}
