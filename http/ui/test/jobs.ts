import type { Job } from '@troupe/client';

/** A job in the form of the stream. */
export function frame(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'j1',
    rev: 1_000_001,
    run: 1,
    status: 'processing',
    terminal: false,
    kind: 'video.generate',
    queue: 'video',
    owner: 'u1',
    batch: null,
    attempt: { n: 1, max: 3, started_at: null, next_at: null },
    progress: { pct: 40, stage: 'render', stage_i: 3, stage_n: 5, note: '', eta_ms: 30_000 },
    error: null,
    artifacts: [],
    waiting: null,
    at: { created: '2026-11-01T10:00:00Z', updated: '2026-11-01T10:00:05Z', finished: null },
    ...over,
  };
}

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

export function sse(event: string, data: unknown, id = ''): string {
  return `${id && `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const hello = (over: Record<string, unknown> = {}): string =>
  sse('hello', { proto: 1, mode: 'snapshot', hb_ms: 15_000, now: new Date().toISOString(), ...over }, 'e-0');
