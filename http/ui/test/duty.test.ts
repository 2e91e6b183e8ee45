import { describe, expect, it } from 'vitest';
import { decodeTree } from '../src/ops/nodes/nodes';
import { ratesOf, rowsOf } from '../src/ops/nodes/rows';
import { compare } from '../src/ops/overview/changes';
import type { QueueStats, Stats } from '../src/ops/live/events';
import { effect } from '../src/ops/queues/Concurrency';
import type { Queue } from '../src/ops/queues/queues';
import { age, count, rate } from '../src/ops/figures';

function stats(queue: Partial<QueueStats>, more: Partial<Stats> = {}): Stats {
  const of = { waiting: 0, processing: 0, delayed: 0, dead: 0, startedPerS: 0, completedPerS: 0, failedPerS: 0 };
  return {
    at: '2026-11-23T12:00:00Z',
    node: 'n1',
    nodes: 1,
    queues: [{ name: 'mail', ...of, oldestAgeS: null, paused: false, concurrency: 4, ...queue }],
    totals: of,
    nodeState: { actors: 0, streams: 0, writePending: 0, writeLagS: 0 },
    ...more,
  };
}

const titles = (was: Stats, is: Stats) => compare(was, is).map(({ title }) => title);

describe('what changed', () => {
  it('tells pauses, limits, nodes and dead letters', () => {
    expect(titles(stats({}), stats({ paused: true, concurrency: 0 }))).toEqual(['mail is paused']);
    expect(titles(stats({ paused: true, concurrency: 0 }), stats({}))).toEqual(['mail goes on']);
    expect(titles(stats({}), stats({ concurrency: 8 }))).toEqual(['mail may run 8 at once']);
    expect(titles(stats({}), stats({}, { nodes: 2 }))).toEqual(['A node has joined']);
    expect(titles(stats({ dead: 3 }), stats({ dead: 5 }))).toEqual(['2 new dead letters in mail']);
    expect(titles(stats({ dead: 5 }), stats({ dead: 6 }))).toEqual(['3 new dead letters in mail']); // soon after: one entry
    expect(titles(stats({ dead: 6 }), stats({ dead: 1 }))).toEqual([]);
  });

  it('believes in a spike when it lasts, and in its end likewise', () => {
    const bad = stats({ name: 'spiky', completedPerS: 1, failedPerS: 1 });
    const good = stats({ name: 'spiky', completedPerS: 2 });
    const seen = [bad, good, bad, bad, bad, bad, bad, good, good, good, good].map((one) => titles(one, one));
    expect(seen.flat()).toEqual(['50 % of what ends in spiky fails', 'spiky succeeds again']);
    expect(seen[5]).toHaveLength(1);
    expect(seen[10]).toHaveLength(1);
  });
});

describe('the effect of a limit', () => {
  const queue = { name: 'mail', running: 6, slots: 8, limit: 4, waiting: 10, paused: false } as Queue;

  it('counts over all nodes', () => {
    expect(effect(queue, 4, false)).toBe('6 of 8 run on 2 nodes.');
    expect(effect(queue, 7, true)).toBe('6 of 14 would run on 2 nodes, and 8 of those that wait begin at once.');
    expect(effect(queue, 2, true)).toContain('2 jobs more than 4. Nothing is cut off');
    expect(effect({ ...queue, paused: true }, 9, true)).toBe('Up to 18 on 2 nodes, once the queue goes on.');
  });
});

describe('the tree of actors', () => {
  const tree = (processed: number) =>
    decodeTree({
      node: 'n1',
      at: '2026-11-23T12:00:00Z',
      root: {
        name: 'n1',
        kind: 'node',
        state: 'running',
        children: [
          { name: 'supervisor', kind: 'supervisor', state: 'idle', mailbox: 0, children: [job('a', 'running'), job('b', 'running', 'overdue'), 'nonsense'] },
          { name: 'settler', kind: 'settler', state: 'idle', mailbox: 3, processed },
          { name: 'journal', kind: 'journal', state: 'busy', mailbox: 500 },
        ],
      },
    });
  const job = (name: string, state: string, attempt = 'running') => ({ name, kind: 'job', state, job: name, children: [{ name: 'attempt', kind: 'attempt', state: attempt }] });
  const names = (turned: string[], words: string) => rowsOf(tree(1).root, new Set(turned), words).map(({ actor }) => actor.name);

  it('shows what is in trouble first, then what is hot, and keeps jobs that just run shut', () => {
    expect(names([], '')).toEqual(['n1', 'supervisor', 'b', 'attempt', 'a', 'journal', 'settler']);
    expect(names(['n1/supervisor'], '')).toEqual(['n1', 'supervisor', 'journal', 'settler']);
    expect(names(['n1/supervisor/a'], '')).toContain('a');
  });

  it('finds actors with those above them', () => {
    expect(names([], 'overdue')).toEqual(['n1', 'supervisor', 'b', 'attempt']);
    expect(names([], 'nobody')).toEqual(['n1']);
  });

  it('counts messages a second between two looks', () => {
    const looks = new Map<string, { at: number; processed: number }>();
    expect(ratesOf(looks, tree(100).root, 1_000).size).toBe(0);
    expect(ratesOf(looks, tree(160).root, 3_000).get('n1/settler')).toBe(30);
    expect(ratesOf(looks, tree(5).root, 4_000).has('n1/settler')).toBe(false); // it has begun anew
  });
});

describe('figures', () => {
  it('are short', () => {
    expect([count(9_999), count(12_345), rate(0.04), rate(3.14), rate(1_234.5)]).toEqual(['9,999', '12.3K', '<0.1', '3.1', '1,235']);
    expect([age(71), age(120), age(7_200), age(200_000)]).toEqual(['71 s', '2 min', '2 h', '2 d']);
  });
});
