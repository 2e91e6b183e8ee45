import type { Job } from '@troupe/client';

export { frame, hello, sse } from '../../client/typescript/test/rig';

export function job(over: Partial<Record<keyof Job, unknown>> = {}): Job {
  return {
    id: 'j1',
    rev: 1,
    run: 1,
    status: 'processing',
    terminal: false,
    kind: 'video.generate',
    queue: 'video',
    owner: null,
    batch: null,
    attempt: { n: 1, max: 3, nextAt: null },
    progress: { pct: 0, stage: '', stageIndex: 0, stageCount: 0, note: '', etaMs: null },
    error: null,
    artifacts: [],
    cancel: null,
    waiting: null,
    createdAt: 0,
    updatedAt: 0,
    finishedAt: null,
    ...over,
  } as Job;
}

export function progress(pct: number, etaMs: number | null = null): Job['progress'] {
  return { pct, stage: '', stageIndex: 0, stageCount: 0, note: '', etaMs };
}
