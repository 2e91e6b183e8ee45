import { describe, expect, it } from 'vitest';
import { advance, type Shown } from '../src/studio/advance';
import type { Job } from '@troupe/client';
import { job, progress } from './jobs';

function play(...states: Job[]): Shown | undefined {
  return states.reduce<Shown | undefined>((seen, state) => advance(seen, state, 0) ?? seen, undefined);
}

describe('advance', () => {
  it('applies a state if and only if its rev is greater', () => {
    const seen = play(job({ rev: 5 }));
    expect(advance(seen, job({ rev: 4, status: 'queued' }), 0)).toBeNull();
    expect(advance(seen, job({ rev: 5, status: 'queued' }), 0)).toBeNull();
    expect(advance(seen, job({ rev: 6, status: 'retrying' }), 0)?.job.status).toBe('retrying');
  });

  it('ends in the newest state whatever the order and the repetitions', () => {
    const states = [1, 2, 3, 4].map((rev) => job({ rev, progress: progress(rev * 10) }));
    const orders = [
      [3, 0, 1, 2],
      [2, 2, 1, 3, 0],
      [3, 3, 3],
    ];
    for (const order of orders) {
      const shuffled = order.flatMap((i) => states[i] ?? []);
      expect(play(...shuffled)?.job.rev).toBe(4);
    }
  });

  it('never draws the bar back within a run, also over attempts', () => {
    const first = job({ rev: 1, progress: progress(60) });
    const second = job({ rev: 2, attempt: { n: 2, max: 3, nextAt: null }, progress: progress(5) });
    expect(play(first, second)?.pct).toBe(60);
    expect(play(first, second, job({ rev: 3, progress: progress(80) }))?.pct).toBe(80);
  });

  it('begins again with a new run', () => {
    const failed = job({ rev: 1, status: 'failed', terminal: true, progress: progress(60) });
    expect(play(failed, job({ rev: 2, run: 2, status: 'queued' }))?.pct).toBe(0);
  });

  it('is full when the job is completed, whatever the handler had reported', () => {
    expect(play(job({ status: 'completed', terminal: true, progress: progress(90) }))?.pct).toBe(100);
  });

  it('keeps an estimate through small slips and gives it up for large ones', () => {
    const before = play(job({ rev: 1, progress: progress(10, 30_000) }));
    expect(before?.doneAt).toBe(30_000);
    expect(advance(before, job({ rev: 2, progress: progress(20, 31_000) }), 1_000)?.doneAt).toBe(30_000);
    expect(advance(before, job({ rev: 2, progress: progress(20, 20_000) }), 1_000)?.doneAt).toBe(21_000);
    expect(advance(before, job({ rev: 2, progress: progress(20, 60_000) }), 1_000)?.doneAt).toBe(61_000);
  });
});
