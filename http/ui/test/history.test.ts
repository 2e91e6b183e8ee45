import { describe, expect, it } from 'vitest';
import { decodeHistory, lanesOf, timelineOf } from '../src/ops/job/history';

const begin = Date.parse('2026-11-01T10:00:00Z');

/** Lines at a second each, in the order given. */
function history(...lines: [event: string, status: string, over?: Record<string, unknown>][]) {
  const events = lines.map(([event, status, over], i) => ({
    rev: i + 1,
    at: new Date(begin + i * 1_000).toISOString(),
    event,
    status,
    life: 1,
    attempt: 1,
    ...over,
  }));
  return decodeHistory({ events });
}

describe('a timeline', () => {
  it('is nothing without a history', () => {
    expect(timelineOf(decodeHistory({}))).toBeNull();
  });

  it('divides waits from attempts, and puts a wait with the attempt that it led to', () => {
    const timeline = timelineOf(
      history(
        ['Submitted', 'queued', { attempt: 0 }],
        ['Claimed', 'processing', { node: 'n1' }],
        ['ArtifactStored', 'processing', { node: 'n1', note: 'poster.jpg' }],
        ['AttemptFailed', 'retrying', { node: 'n1', failure: { code: 'error', message: 'no GPU', fingerprint: 'f' } }],
        ['Claimed', 'processing', { attempt: 2, node: 'n2' }],
        ['Succeeded', 'completed', { attempt: 2, node: 'n2' }],
      ),
    );
    expect(timeline?.to).toBe(begin + 5_000);
    expect(timeline?.segments.map(({ type, attempt, node, end }) => [type, attempt, node, end])).toEqual([
      ['wait', 1, '', null],
      ['run', 1, 'n1', 'failed'],
      ['wait', 2, 'n1', null],
      ['run', 2, 'n2', 'completed'],
    ]);
    expect(timeline?.marks.map(({ words }) => words)).toEqual([
      'Stored poster.jpg',
      'Attempt 1 failed: no GPU',
      'Moved from n1 to n2',
    ]);
    expect(lanesOf(timeline?.segments ?? []).map(({ attempt, segments }) => [attempt, segments.length])).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it('says that a node was lost when another takes a job that still runs', () => {
    const timeline = timelineOf(
      history(['Submitted', 'queued', { attempt: 0 }], ['Claimed', 'processing', { node: 'n1' }], ['Claimed', 'processing', { node: 'n2' }]),
    );
    expect(timeline?.segments.map(({ node, end, to }) => [node, end, to === null])).toEqual([
      ['', null, false],
      ['n1', 'lost', false],
      ['n2', null, true],
    ]);
    expect(timeline?.to).toBeNull();
  });

  it('begins another life after a redrive', () => {
    const timeline = timelineOf(
      history(
        ['Submitted', 'queued', { attempt: 0 }],
        ['CancelRequested', 'cancelled', { attempt: 0 }],
        ['Redriven', 'queued', { attempt: 0, life: 2 }],
      ),
    );
    expect(lanesOf(timeline?.segments ?? []).map(({ life }) => life)).toEqual([1, 2]);
  });
});
