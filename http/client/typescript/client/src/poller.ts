import type { Fallback, LinkHost } from './connection.js';
import type { StreamEvent } from './events.js';
import { list, object, text } from './json.js';
import { decodeResource } from './resource.js';

const pauseMs = 3_000;
const maxPauseMs = 30_000;
/** How long a job may take to be seen after it was accepted. */
const lookUpMs = 1_000;
/** Ids in one request at most, as the server bounds them. */
const maxIds = 100;
/** Answers remembered at most, to be told only what has changed. */
const maxEtags = 50;

/** Asks with plain requests, and only for what has changed. */
export const polling: Fallback = {
  poll(host, topics) {
    const abort = new AbortController();
    const { signal } = abort;
    const etags = new Map<string, string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const round = async (failures: number): Promise<void> => {
      const live = host.jobs.all().flatMap((job) => (job.terminal ? [] : job.id));
      const named = jobIds(topics());
      let failed = 0;
      try {
        for (const path of [...idPaths([...live, ...named]), ...listPaths(topics())]) await ask(host, path, etags, signal);
      } catch {
        failed = Math.min(failures + 1, 5);
      }
      if (!signal.aborted) timer = setTimeout(() => void round(failed), Math.min(maxPauseMs, pauseMs * 2 ** failed));
    };
    void round(0);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  },
  lookUp(host, topics) {
    const unknown = () => jobIds(topics).filter((id) => !host.jobs.get(id));
    if (unknown().length === 0) return;
    setTimeout(() => {
      for (const path of idPaths(unknown())) ask(host, path, new Map()).catch(() => undefined);
    }, lookUpMs);
  },
};

async function ask({ wire, onEvents }: LinkHost, path: string, etags: Map<string, string>, signal?: AbortSignal): Promise<void> {
  const etag = etags.get(path);
  const answer = await wire.request(path, { ...(signal && { signal }), ...(etag && { headers: { 'If-None-Match': etag } }) });
  if (answer.status === 304) return;
  const { jobs, missing } = object(await answer.json());
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  if (signal?.aborted) return;
  if (etags.size >= maxEtags) etags.clear();
  etags.set(path, answer.headers.get('ETag') ?? '');
  const events: StreamEvent[] = list(jobs).flatMap((one) => {
    const job = decodeResource(one, wire.base);
    return job ? { type: 'job', job } : [];
  });
  for (const id of list(missing)) events.push({ type: 'removed', id: text(id), rev: Number.POSITIVE_INFINITY });
  onEvents(events);
}

function jobIds(topics: readonly string[]): string[] {
  return topics.flatMap((topic) => (topic.startsWith('job:') ? topic.slice(4) : []));
}

function idPaths(ids: Iterable<string>): string[] {
  const all = [...new Set(ids)];
  const paths: string[] = [];
  for (let i = 0; i < all.length; i += maxIds) paths.push(`/v1/jobs?ids=${all.slice(i, i + maxIds).map(encodeURIComponent).join()}`);
  return paths;
}

/** The newest jobs of each topic that is no job's. */
function listPaths(topics: readonly string[]): string[] {
  return topics.flatMap((topic) => {
    const [kind, value = ''] = topic.split(/:(.*)/s);
    if (kind === 'job' || kind === 'stats') return [];
    return `/v1/jobs${kind === 'all' || topic === 'owner:me' ? '' : `?${kind}=${encodeURIComponent(value)}`}`;
  });
}
