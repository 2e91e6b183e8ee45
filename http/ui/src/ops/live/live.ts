import { Cell, type Job, type Topic } from '@troupe/client';
import { client } from '../../client';
import { type Connected, connected } from '../../connection';
import type { Json } from '../../json';
import { decodeStats, type Stats } from './events';

/** The client has forgotten a topic after this. */
const forgetMs = 1_200;
/** Seconds of figures that are kept, for sparklines. */
export const historyS = 120;

/** The one stream of the operators' pages. Pages hold topics; the stream has the union of them, plus `stats`. */
export class Live {
  readonly client = client();
  readonly connection = new Cell<Connected>(connected(this.client.connection.get()));
  readonly stats = new Cell<Stats | null>(null);
  /** The last figures, oldest first, at most historyS. */
  readonly history = new Cell<readonly Stats[]>([]);
  #endStats: () => void = () => {};
  /** The server tells us no figures: the rest is watched without them. */
  #isWithoutStats = false;

  /** Keeps the stream open until the returned function is called. */
  hold(): () => void {
    const { client } = this;
    const onConnection = () => this.#onConnection();
    const ends = [
      client.connection.watch(onConnection),
      client.stats.watch(() => this.#onStats(client.stats.get())),
      () => this.#endStats(),
    ];
    this.#endStats = client.watch(this.#isWithoutStats ? 'owner:me' : 'stats');
    onConnection();
    return () => {
      for (const end of ends) end();
    };
  }

  /** Adds topics until the returned function is called. */
  topics(topics: readonly Topic[]): () => void {
    const ends = topics.map((topic) => this.client.watch(topic));
    return () => {
      for (const end of ends) end();
    };
  }

  job(id: string): Job | undefined {
    return this.client.jobs.get(id);
  }

  /** Starts again after a sign-in, or when a person asks. */
  reconnect(): void {
    this.client.reconnect();
  }

  #onConnection(): void {
    const state = this.client.connection.get();
    const { status } = state.problem ?? {};
    if ((status === 422 || status === 403) && !this.#isWithoutStats) {
      this.#isWithoutStats = true;
      this.#endStats();
      this.#endStats = this.client.watch('owner:me'); // or there would be nothing to be live of
      setTimeout(() => this.client.reconnect(), forgetMs);
      return;
    }
    this.connection.set(connected(state));
  }

  #onStats(told: unknown): void {
    if (told === null) return;
    const stats = decodeStats(told as Json);
    this.stats.set(stats);
    this.history.set([...this.history.get().slice(1 - historyS), stats]);
  }
}

/** The stream of this tab. */
export const live = new Live();
