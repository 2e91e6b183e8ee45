import { muteMs } from './attempt.js';
import { backoff } from './backoff.js';
import type { Troupe } from './client.js';
import { FrameReader } from './frames.js';
import { number, parseObject, text, timeOrNull } from './json.js';
import { problemOf, refuses, retryAfter } from './problem.js';

export interface LogLine {
  type: 'log';
  /** Grows over attempts, crashes and nodes. */
  seq: number;
  at: number | null;
  level: 'debug' | 'info' | 'warn' | 'error' | (string & {});
  attempt: number;
  /** Untrusted text: to be shown as text only. */
  text: string;
}

export interface OutputChunk {
  type: 'chunk';
  seq: number;
  at: number | null;
  /** A new attempt goes on after the old one's output, with a greater number. */
  attempt: number;
  data: string;
}

/** What was between these two is not kept any more. */
export interface Gap {
  type: 'gap';
  from: number;
  to: number;
}

export interface FollowOptions {
  /** Go on after this seq. */
  after?: number;
  /** Begin at the last so many. */
  tail?: number;
  signal?: AbortSignal;
}

/** The lines of a job's log, in order, each seq once, until the job has ended. Rejects with a Problem when it is refused. */
export function followLogs(client: Troupe, id: string, options: FollowOptions = {}): AsyncGenerator<LogLine | Gap, void, void> {
  return follow(client, id, 'logs', options, (data, seq) => ({
    type: 'log',
    seq,
    at: timeOrNull(data.at),
    level: text(data.level) || 'info',
    attempt: number(data.attempt, 1),
    text: text(data.text),
  }));
}

/** What a job puts out, in order, each seq once, until the job has ended. Rejects with a Problem when it is refused. */
export function followOutput(client: Troupe, id: string, options: FollowOptions = {}): AsyncGenerator<OutputChunk | Gap, void, void> {
  return follow(client, id, 'output', options, (data, seq) => ({
    type: 'chunk',
    seq,
    at: timeOrNull(data.at),
    attempt: number(data.attempt, 1),
    data: text(data.data),
  }));
}

async function* follow<T>(
  { wire }: Troupe,
  id: string,
  channel: 'logs' | 'output',
  { after = -1, tail, signal }: FollowOptions,
  decode: (data: Record<string, unknown>, seq: number) => T,
): AsyncGenerator<T | Gap, void, void> {
  let seen = after;
  for (let failures = 0; !signal?.aborted; ) {
    const abort = new AbortController();
    const stop = () => abort.abort();
    signal?.addEventListener('abort', stop);
    let asked: number | null = null;
    let patience = muteMs;
    let watchdog = setTimeout(stop, patience);
    try {
      const query = new URLSearchParams({ follow: '1' });
      if (seen >= 0) query.set('after', String(seen));
      else if (tail !== undefined) query.set('tail', String(tail));
      const headers: Record<string, string> = { Accept: 'text/event-stream', ...(seen >= 0 && { 'Last-Event-ID': String(seen) }) };
      const path = `/v1/jobs/${encodeURIComponent(id)}/${channel}?${query}`;
      const answer = await wire.request(path, { headers, cache: 'no-store', signal: abort.signal }, [`job:${id}`]);
      if (answer.status === 204) return;
      if (answer.status !== 200 || !answer.body) {
        if (refuses(answer)) throw await problemOf(answer);
        asked = retryAfter(answer.headers);
      } else {
        const frames = new FrameReader();
        const bytes = answer.body.getReader();
        reading: for (;;) {
          const { done, value } = await bytes.read().catch(() => ({ done: true, value: undefined }));
          if (done || !value) break;
          clearTimeout(watchdog);
          for (const { event, data: raw } of frames.feed(value)) {
            const data = parseObject(raw);
            if (!data) continue;
            if (event === 'log' || event === 'chunk') {
              const seq = number(data.seq, -1);
              if (seq <= seen) continue;
              seen = seq;
              failures = 0;
              yield decode(data, seq);
            } else if (event === 'gap') {
              const gap: Gap = { type: 'gap', from: number(data.from), to: number(data.to) };
              if (gap.to <= seen) continue;
              seen = gap.to;
              yield gap;
            } else if (event === 'hello') patience = 2.5 * Math.max(1_000, number(data.hb_ms, 15_000));
            else if (event === 'end') {
              if (text(data.reason) === 'done' || text(data.reason) === 'revoked') return;
              if (text(data.reason) === 'expired') wire.expire();
              asked = number(data.retry_ms);
              failures = 0;
              break reading;
            }
          }
          asked = frames.retryMs;
          watchdog = setTimeout(stop, patience);
        }
      }
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'Problem') throw cause;
    } finally {
      clearTimeout(watchdog);
      signal?.removeEventListener('abort', stop);
      abort.abort();
    }
    const pause = backoff(failures++, asked);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause);
      signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}
