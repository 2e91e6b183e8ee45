import { isObject, type Json, number, numberOrNull, object, text, textOrNull, timeOrNull } from '../../json';
import { type Asked, sendForJson, useAsk } from '../ask';

export interface NodeInfo {
  name: string;
  /** The one that serves this page. */
  self: boolean;
  startedAt: number | null;
  lastSeen: number | null;
  version: string;
  actors: number;
  draining: boolean;
  queues: { name: string; running: number; limit: number }[];
}

/** An actor with those it supervises. */
export interface Actor {
  /** Where it stands in the tree: what names it from one look to the next. */
  path: string;
  name: string;
  kind: string;
  state: string;
  mailbox: number | null;
  restarts: number;
  processed: number | null;
  lastMs: number | null;
  job: string | null;
  jobKind: string;
  queue: string;
  attempt: number;
  percent: number | null;
  since: number | null;
  children: Actor[];
  more: number;
}

export interface Tree {
  node: string;
  at: number;
  root: Actor;
}

export function decodeNodes(value: unknown): NodeInfo[] {
  const list = object(value).nodes;
  return (Array.isArray(list) ? list : []).filter(isObject).map((node) => ({
    name: text(node.name),
    self: node.self === true,
    startedAt: timeOrNull(node.started_at),
    lastSeen: timeOrNull(node.last_seen),
    version: text(node.version),
    actors: number(node.actors),
    draining: node.draining === true,
    queues: (Array.isArray(node.queues) ? node.queues : []).filter(isObject).map((queue) => ({
      name: text(queue.name),
      running: number(queue.running),
      limit: number(queue.limit),
    })),
  }));
}

export function decodeTree(value: unknown): Tree {
  const tree = object(value);
  return { node: text(tree.node), at: timeOrNull(tree.at) ?? Date.now(), root: decodeActor(object(tree.root), '') };
}

function decodeActor(value: Json, parent: string): Actor {
  const name = text(value.name);
  const path = parent === '' ? name : `${parent}/${name}`;
  return {
    path,
    name,
    kind: text(value.kind),
    state: text(value.state),
    mailbox: numberOrNull(value.mailbox),
    restarts: number(value.restarts),
    processed: numberOrNull(value.processed),
    lastMs: numberOrNull(value.last_message_ms),
    job: textOrNull(value.job),
    jobKind: text(value.job_kind),
    queue: text(value.queue),
    attempt: number(value.attempt),
    percent: numberOrNull(value.percent),
    since: timeOrNull(value.since),
    children: (Array.isArray(value.children) ? value.children : []).filter(isObject).map((child) => decodeActor(child, path)),
    more: number(value.more),
  };
}

export function useNodes(everyMs: number): Asked<NodeInfo[]> {
  return useAsk('/v1/nodes', async (signal) => decodeNodes(await sendForJson('/v1/nodes', { signal })), { everyMs });
}

/** What lives on a node, looked at every two seconds; of the jobs only one, if it is named. */
export function useTree(node: string, job: string): Asked<Tree> {
  const query = new URLSearchParams({ ...(node !== '' && { node }), ...(job !== '' && { job }) });
  const path = `/v1/actors${query.size > 0 ? `?${query}` : ''}`;
  return useAsk(path, async (signal) => decodeTree(await sendForJson(path, { signal })), { everyMs: 2_000 });
}
