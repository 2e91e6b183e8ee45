import { describe, expect, it, vi } from 'vitest';
import { JobStore, maxJobs } from '../src/studio/store';
import { job } from './jobs';

describe('JobStore', () => {
  it('tells only those who watch the job that changed', () => {
    const store = new JobStore();
    const [a, b] = [vi.fn(), vi.fn()];
    store.watch('a', a);
    store.watch('b', b);
    store.apply(job({ id: 'a', rev: 1 }));
    store.apply(job({ id: 'a', rev: 1 }));
    expect(a).toHaveBeenCalledTimes(1);
    expect(b).not.toHaveBeenCalled();
  });

  it('tells once for a batch, also when a change in it throws', () => {
    const store = new JobStore();
    const watcher = vi.fn();
    store.watch('a', watcher);
    expect(() =>
      store.batch(() => {
        for (const rev of [1, 2, 3]) store.apply(job({ id: 'a', rev }));
        throw new Error('late');
      }),
    ).toThrow('late');
    expect(watcher).toHaveBeenCalledTimes(1);
    expect(store.get('a')?.job.rev).toBe(3);
  });

  it('keeps the same list until a job comes or goes, newest first', () => {
    const store = new JobStore();
    store.apply(job({ id: 'old', createdAt: 1 }));
    store.apply(job({ id: 'new', createdAt: 2 }));
    const ids = store.ids();
    expect(ids).toEqual(['new', 'old']);
    store.apply(job({ id: 'old', rev: 2, createdAt: 1 }));
    expect(store.ids()).toBe(ids);
    store.remove('new');
    expect(store.ids()).toEqual(['old']);
  });

  it('does not remove a job of which it knows a newer state', () => {
    const store = new JobStore();
    store.apply(job({ rev: 7 }));
    store.remove('j1', 6);
    expect(store.get('j1')).toBeDefined();
    store.remove('j1', 7);
    expect(store.get('j1')).toBeUndefined();
  });

  it('says that a job ended once for each run, and not for one that it met when it was over', () => {
    const onEnd = vi.fn();
    const store = new JobStore({ onEnd });
    const over = { status: 'completed', terminal: true } as const;
    store.apply(job({ id: 'past', ...over }));
    expect(onEnd).not.toHaveBeenCalled();
    store.apply(job({ rev: 1 }));
    store.apply(job({ rev: 2, ...over }));
    store.apply(job({ rev: 3, ...over }));
    expect(onEnd).toHaveBeenCalledTimes(1);
    store.apply(job({ rev: 4, run: 2, ...over })); // the states between were conflated
    expect(onEnd).toHaveBeenCalledTimes(2);
  });

  it('stays bounded and forgets none that lives', () => {
    const store = new JobStore();
    store.batch(() => {
      for (let i = 0; i < maxJobs + 50; i++) {
        store.apply(job({ id: `j${i}`, createdAt: i, ...(i >= 10 && { status: 'failed', terminal: true }) }));
      }
    });
    expect(store.ids()).toHaveLength(maxJobs);
    expect(store.live()).toHaveLength(10);
  });
});
