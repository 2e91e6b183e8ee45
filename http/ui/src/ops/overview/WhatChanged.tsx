import { useMemo } from 'react';
import { useWatched } from '../../watch';
import { isAbsent } from '../ask';
import { type Group, useGroups } from '../dead/groups';
import { plural } from '../figures';
import { type NodeInfo, useNodes } from '../nodes/nodes';
import { Panel, Time, Words } from '../parts';
import type { Queue } from '../queues/queues';
import { Link } from '../router';
import { type Change, observed } from './changes';

const shown = 10;
/** Ways to fail that are told: the page of dead letters has all. */
const maxGroups = 3;

/** What happened lately, newest first: what the server remembers, and what was seen since the tab was opened. */
export function WhatChanged({ queues }: { queues: readonly Queue[] }) {
  const seen = useWatched(observed);
  const nodes = useNodes(15_000);
  const groups = useGroups({ queue: '', kind: '', q: '' }, 15_000);
  const changes = useMemo(() => {
    const remembered = [
      ...queues.flatMap(fromQueue),
      ...(isAbsent(nodes.problem) ? [] : (nodes.data ?? []).map(fromNode)),
      ...together(groups.data?.groups ?? []).slice(0, maxGroups).map(fromGroup),
    ];
    const told = groups.data !== undefined; // and in more words
    const fresh = seen.filter((change) => !(told && change.key.startsWith('dead:')) && !remembered.some((other) => other.title === change.title && Math.abs(other.at - change.at) < 10_000));
    return [...fresh, ...remembered].sort((a, b) => b.at - a.at).slice(0, shown);
  }, [queues, nodes.data, nodes.problem, groups.data, seen]);
  return (
    <Panel title="What changed">
      {changes.length === 0 ? (
        <p className="hint">Pauses, new nodes, spikes and dead letters are told here.</p>
      ) : (
        <ol className="changes">
          {changes.map((change) => (
            <li key={change.key} data-tone={change.tone}>
              <p>
                {change.to ? <Link to={change.to}>{change.title}</Link> : change.title}
                {change.detail && (
                  <span className="changes-detail">
                    <Words text={change.detail} limit={140} />
                  </span>
                )}
              </p>
              <Time at={change.at} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

/** One entry for what failed alike in several queues, the newest first. */
function together(groups: readonly Group[]): Group[] {
  const alike = new Map<string, Group>();
  for (const group of groups) {
    const key = `${group.kind} ${group.fingerprint}`;
    const other = alike.get(key);
    alike.set(key, other ? { ...other, count: other.count + group.count, capped: other.capped || group.capped, last: Math.max(other.last ?? 0, group.last ?? 0) } : group);
  }
  return [...alike.values()].sort((a, b) => (b.last ?? 0) - (a.last ?? 0));
}

function fromQueue({ name, paused, reason, limit, concurrency, updatedAt }: Queue): Change[] {
  if (updatedAt === null) return [];
  const to = `/ops/queues?queue=${encodeURIComponent(name)}`;
  const base = { key: `queue:${name}`, at: updatedAt, to };
  if (paused) return [{ ...base, tone: 'warm', title: `${name} is paused`, detail: reason }];
  return [{ ...base, tone: 'plain', title: concurrency > 0 ? `${name} may run ${limit} at once on each node` : `${name} goes on` }];
}

function fromNode({ name, startedAt, version }: NodeInfo): Change {
  return { key: `node:${name}`, at: startedAt ?? 0, tone: 'plain', title: `${name} started`, detail: version, to: `/ops/nodes?node=${encodeURIComponent(name)}` };
}

function fromGroup(group: Group): Change {
  return {
    key: `group:${group.key}`,
    at: group.last ?? 0,
    tone: 'bad',
    title: `${plural(group.count, 'dead letter')}${group.capped ? ' and more' : ''} of ${group.kind}`,
    detail: group.message,
    to: `/ops/dead?open=${encodeURIComponent(group.key)}`,
  };
}
