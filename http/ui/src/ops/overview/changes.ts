import { Cell } from '@troupe/client';
import { count, plural } from '../figures';
import type { QueueStats, Stats } from '../live/events';
import { live } from '../live/live';
import { duration } from '../parts';

/** Something that a person on call would want to have been told. */
export interface Change {
  key: string;
  /** Milliseconds since 1970. */
  at: number;
  tone: 'plain' | 'good' | 'warm' | 'bad';
  title: string;
  /** Untrusted text, such as a reason or an error. */
  detail?: string;
  to?: string;
}

const kept = 60;
/** Figures of one kind within this are one entry. */
const togetherMs = 20_000;
/** A share of failing attempts above this, at this rate, is worth a word; below half of it all is well again. */
const failingShare = 0.2;
const failingPerS = 0.5;
const longWaitS = 60;
const longLagS = 3;

/** What the stream's figures have shown since this tab was opened. */
export const observed = new Cell<readonly Change[]>([]);

const states = new Map<string, boolean>();
let before: Stats | null = null;
live.stats.watch(() => {
  const now = live.stats.get();
  if (now === null) return;
  if (before !== null) note(compare(before, now));
  before = now;
});

function note(changes: Change[]): void {
  if (changes.length === 0) return;
  const keys = new Set(changes.map(({ key }) => key));
  observed.set([...changes, ...observed.get().filter(({ key }) => !keys.has(key))].slice(0, kept));
}

/** What is worth a word between two sets of figures. */
export function compare(was: Stats, is: Stats): Change[] {
  const at = Date.parse(is.at) || Date.now();
  const changes: Change[] = [];
  const add = (key: string, change: Omit<Change, 'key' | 'at'>) => changes.push({ key: `${key}:${at}`, at, ...change });
  for (const queue of is.queues) {
    const old = was.queues.find(({ name }) => name === queue.name);
    if (old !== undefined) changes.push(...compareQueue(old, queue, at));
  }
  if (was.nodes !== is.nodes)
    add('nodes', {
      tone: is.nodes < was.nodes ? 'warm' : 'good',
      title: is.nodes < was.nodes ? 'A node has left' : 'A node has joined',
      detail: `${plural(is.nodes, 'node')} now`,
      to: '/ops/nodes',
    });
  const lag = is.nodeState.writeLagS ?? 0;
  if (turned('lag', lag > longLagS, lag < 1))
    add('lag', lag > longLagS ? { tone: 'bad', title: `Writes to the store are ${duration(lag * 1_000)} late` } : { tone: 'good', title: 'The store takes writes in time again' });
  return changes;
}

function compareQueue(old: QueueStats, queue: QueueStats, at: number): Change[] {
  const changes: Change[] = [];
  const { name } = queue;
  const to = `/ops/queues?queue=${encodeURIComponent(name)}`;
  if (old.paused !== queue.paused)
    changes.push({ key: `pause:${name}:${at}`, at, tone: queue.paused ? 'warm' : 'good', title: `${name} ${queue.paused ? 'is paused' : 'goes on'}`, to });
  if (!queue.paused && !old.paused && old.concurrency !== queue.concurrency && queue.concurrency !== null)
    changes.push({ key: `limit:${name}:${at}`, at, tone: 'plain', title: `${name} may run ${count(queue.concurrency)} at once`, detail: `${count(old.concurrency ?? 0)} before`, to });
  if (queue.dead > old.dead) {
    const key = `dead:${name}:${Math.floor(at / togetherMs)}`;
    const earlier = deadSoFar.get(key) ?? 0;
    const added = earlier + queue.dead - old.dead;
    deadSoFar.clear();
    deadSoFar.set(key, added);
    changes.push({ key, at, tone: 'bad', title: `${plural(added, 'new dead letter')} in ${name}`, to: `/ops/dead?queue=${encodeURIComponent(name)}` });
  }
  const ended = queue.completedPerS + queue.failedPerS;
  const share = ended > 0 ? queue.failedPerS / ended : 0;
  if (turned(`failing:${name}`, share > failingShare && queue.failedPerS >= failingPerS, share < failingShare / 2)) {
    const failing = states.get(`failing:${name}`) === true;
    changes.push({
      key: `failing:${name}:${at}`,
      at,
      tone: failing ? 'bad' : 'good',
      title: failing ? `${Math.round(share * 100)} % of what ends in ${name} fails` : `${name} succeeds again`,
      to: failing ? `/ops/dead?queue=${encodeURIComponent(name)}` : to,
    });
  }
  const age = queue.paused ? 0 : (queue.oldestAgeS ?? 0);
  if (turned(`wait:${name}`, age > longWaitS, age < longWaitS / 2)) {
    const long = states.get(`wait:${name}`) === true;
    changes.push({ key: `wait:${name}:${at}`, at, tone: long ? 'warm' : 'good', title: long ? `${name}: the next job waits for ${duration(age * 1_000)}` : `${name} has caught up`, to });
  }
  return changes;
}

const deadSoFar = new Map<string, number>();

/** Looks in a row, about a second apart, that it takes to believe in a state. */
const holdLooks = 4;

/** Whether a state was entered or left just now: seen often enough in a row, so that it does not flicker. */
function turned(key: string, enters: boolean, leaves: boolean): boolean {
  const was = states.get(key) ?? false;
  if (was ? !leaves : !enters) {
    looks.delete(key);
    return false;
  }
  const seen = (looks.get(key) ?? 0) + 1;
  looks.set(key, seen);
  if (seen < holdLooks) return false;
  looks.delete(key);
  states.set(key, !was);
  return true;
}

const looks = new Map<string, number>();
