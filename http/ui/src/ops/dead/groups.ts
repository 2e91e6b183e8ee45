import { isObject, type Json, number, object, text, textOrNull, timeOrNull } from '../../json';
import { type Asked, Problem, sendForJson, useAsk } from '../ask';

/** What selects dead letters. Empty texts select by nothing. */
export interface Filter {
  queue: string;
  kind: string;
  /** Words and qualifiers. */
  q: string;
}

/** Dead letters that failed in the same way. All texts are from outside. */
export interface Group {
  key: string;
  fingerprint: string;
  kind: string;
  queue: string;
  code: string;
  message: string;
  count: number;
  /** There are at least this many. */
  capped: boolean;
  first: number | null;
  last: number | null;
  /** Ids of some. */
  sample: string[];
}

export interface Groups {
  groups: Group[];
  /** All dead letters were looked at. */
  complete: boolean;
  /** The server can't group: done here, of the newest. */
  ofNewest: number | null;
}

export interface DeadJob {
  id: string;
  kind: string;
  queue: string;
  owner: string;
  attempt: number;
  crashes: number;
  endedAt: number | null;
  code: string;
  message: string;
  fingerprint: string;
}

/** Parameters that select the jobs of a group, within what the groups were narrowed to. */
export function whomOf(group: Group, filter: Filter): Record<string, string> {
  return { queue: group.queue || filter.queue, kind: group.kind, fingerprint: group.fingerprint, ...(filter.q !== '' && { q: filter.q }) };
}

/** Letters in one page of the list. */
export const pageSize = 25;
const newest = 200;

/** Groups, newest first; asked for again every few milliseconds. */
export function useGroups(filter: Filter, everyMs: number): Asked<Groups> {
  return useAsk(`dead ${JSON.stringify(filter)}`, (signal) => getGroups(filter, signal), { everyMs });
}

async function getGroups(filter: Filter, signal: AbortSignal): Promise<Groups> {
  try {
    const answer = object(await sendForJson(`/v1/dead/groups${queryOf({ queue: filter.queue, kind: filter.kind, q: filter.q })}`, { signal }));
    return {
      groups: list(answer.groups).map(decodeGroup),
      complete: answer.complete !== false,
      ofNewest: null,
    };
  } catch (problem) {
    if (!(problem instanceof Problem) || (problem.status !== 404 && problem.status !== 405)) throw problem;
    const page = await getLetters({ queue: filter.queue, kind: filter.kind, text: filter.q }, null, newest, signal);
    return { groups: groupHere(page.jobs), complete: page.next === null, ofNewest: page.next === null ? null : newest };
  }
}

function decodeGroup(value: Json): Group {
  const [fingerprint, kind, queue] = [text(value.fingerprint), text(value.kind), text(value.queue)];
  return {
    key: keyOf(queue, kind, fingerprint),
    fingerprint,
    kind,
    queue,
    code: text(value.code),
    message: text(value.message),
    count: number(value.count),
    capped: value.capped === true,
    first: timeOrNull(value.first),
    last: timeOrNull(value.last),
    sample: (Array.isArray(value.sample) ? value.sample : []).map(text),
  };
}

function keyOf(queue: string, kind: string, fingerprint: string): string {
  return `${queue} ${kind} ${fingerprint}`;
}

function groupHere(jobs: readonly DeadJob[]): Group[] {
  const groups = new Map<string, Group>();
  for (const job of jobs) {
    const key = keyOf(job.queue, job.kind, job.fingerprint);
    const group = groups.get(key);
    if (group === undefined) {
      const { fingerprint, kind, queue, code, message, endedAt } = job;
      groups.set(key, { key, fingerprint, kind, queue, code, message, count: 1, capped: false, first: endedAt, last: endedAt, sample: [job.id] });
      continue;
    }
    group.count++;
    group.first = Math.min(group.first ?? Number.POSITIVE_INFINITY, job.endedAt ?? Number.POSITIVE_INFINITY);
    group.last = Math.max(group.last ?? 0, job.endedAt ?? 0);
    if (group.sample.length < 3) group.sample.push(job.id);
  }
  return [...groups.values()].sort((a, b) => (b.last ?? 0) - (a.last ?? 0));
}

/** One page of dead letters, newest first. */
export async function getLetters(
  by: Record<string, string>,
  cursor: string | null,
  limit: number,
  signal: AbortSignal,
): Promise<{ jobs: DeadJob[]; next: string | null }> {
  const answer = object(await sendForJson(`/v1/dead${queryOf({ ...by, limit: String(limit), cursor: cursor ?? '' })}`, { signal }));
  return { jobs: list(answer.jobs).map(decodeLetter), next: textOrNull(answer.next) };
}

export function decodeLetter(value: Json): DeadJob {
  const error = object(value.error);
  return {
    id: text(value.id),
    kind: text(value.kind),
    queue: text(value.queue),
    owner: text(value.owner),
    attempt: number(value.attempt),
    crashes: number(value.crashes),
    endedAt: timeOrNull(value.completed_at),
    code: text(error.code),
    message: text(error.message),
    fingerprint: text(error.fingerprint),
  };
}

function list(value: unknown): Json[] {
  return (Array.isArray(value) ? value : []).filter(isObject);
}

function queryOf(by: Record<string, string>): string {
  const query = new URLSearchParams(Object.entries(by).filter(([, value]) => value !== ''));
  return query.size > 0 ? `?${query}` : '';
}
