import type { StreamEvent } from './events.js';
import { decodeJob } from './job.js';
import { list, object, text } from './json.js';
import type { Wire } from './wire.js';

const pauseMs = 3_000;
const maxPauseMs = 30_000;
/** Ids in one request at most, as the server bounds them. */
const maxIds = 100;

/** Asks for jobs again and again where no stream gets through, and only for what has changed. */
export class Poller {
  readonly #etags = new Map<string, string>();
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly wire: Wire,
    /** The requests of the next round, by path. */
    readonly paths: () => string[],
    readonly onEvents: (events: StreamEvent[]) => void,
  ) {}

  start(): void {
    if (this.#abort) return;
    this.#abort = new AbortController();
    void this.#round(this.#abort.signal, 0);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    clearTimeout(this.#timer);
    this.#etags.clear();
  }

  async #round(signal: AbortSignal, failures: number): Promise<void> {
    let failed = 0;
    try {
      for (const path of this.paths()) await this.ask(path, signal);
    } catch {
      failed = failures + 1;
    }
    if (!signal.aborted) this.#timer = setTimeout(() => void this.#round(signal, failed), Math.min(maxPauseMs, pauseMs * 2 ** failed));
  }

  async ask(path: string, signal?: AbortSignal): Promise<void> {
    const etag = this.#etags.get(path);
    const { answer, body } = await this.wire.json(path, { ...(signal && { signal }), ...(etag && { headers: { 'If-None-Match': etag } }) });
    if (answer.status === 304 || signal?.aborted) return;
    if (this.#etags.size > 50) this.#etags.clear();
    this.#etags.set(path, answer.headers.get('ETag') ?? '');
    const { jobs, missing } = object(body);
    const events: StreamEvent[] = list(jobs).flatMap((one) => {
      const job = decodeJob(one, this.wire.base);
      return job ? { type: 'job', job } : [];
    });
    for (const id of list(missing)) events.push({ type: 'removed', id: text(id), rev: Number.POSITIVE_INFINITY });
    this.onEvents(events);
  }
}

/** The requests that show these jobs, and the newest of each of these topics. */
export function pollPaths(ids: Iterable<string>, topics: readonly string[]): string[] {
  const all = [...new Set(ids)];
  const paths: string[] = [];
  for (let i = 0; i < all.length; i += maxIds) paths.push(`/v1/jobs?ids=${all.slice(i, i + maxIds).map(encodeURIComponent).join()}`);
  for (const topic of topics) {
    const [kind, value = ''] = topic.split(/:(.*)/s);
    if (kind === 'job' || kind === 'stats') continue;
    paths.push(`/v1/jobs${kind === 'all' || topic === 'owner:me' ? '' : `?${kind}=${encodeURIComponent(value)}`}`);
  }
  return paths;
}
