import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../src/stream/events';
import { FrameReader, maxFrameChars } from '../src/stream/frames';
import { decodeJob } from '../src/stream/job';
import { frame, hello, sse } from './jobs';

function read(chunks: Uint8Array[]): { events: string[]; retry: number[] } {
  const events: string[] = [];
  const retry: number[] = [];
  const reader = new FrameReader({
    onFrame: ({ id, event, data }) => events.push(`${id}|${event}|${data}`),
    onRetry: (ms) => retry.push(ms),
  });
  for (const chunk of chunks) reader.feed(chunk);
  return { events, retry };
}

const prompt = 'Zürich 🎬 \u2028 雨';
const text = `retry: 1873\n${hello()}: comment\r\n\r\n${sse('job', frame({ owner: prompt }), 'e-1')}${sse('ready', { jobs: 1 })}`;
const bytes = new TextEncoder().encode(text);

describe('FrameReader', () => {
  it('reads the same from frames cut at every byte', () => {
    const whole = read([bytes]);
    expect(whole.events).toHaveLength(3);
    expect(whole.retry).toEqual([1873]);
    expect(whole.events[1]).toContain(prompt);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole);
    }
    expect(read(Array.from(bytes, (_, i) => bytes.slice(i, i + 1)))).toEqual(whole);
  });

  it('does not give out a frame that was cut off', () => {
    expect(read([bytes.slice(0, -1)]).events).toHaveLength(2);
  });

  it('refuses a frame without end', () => {
    const endless = new Uint8Array(1 << 20).fill(120);
    expect(() => read(Array.from({ length: maxFrameChars / endless.length + 1 }, () => endless))).toThrow(
      'longer than',
    );
  });
});

describe('decodeEvent', () => {
  const decode = (event: string, data: string) => decodeEvent({ event, data, id: undefined });

  it('ignores what it does not know and what it cannot read', () => {
    expect(decode('stats', '{"at":1}')).toEqual({ type: 'other', name: 'stats', data: { at: 1 } });
    expect(decode('job', 'not json')).toBeNull();
    expect(decode('job', '[]')).toBeNull();
    expect(decode('job', JSON.stringify(frame({ status: 'melting' })))).toBeNull();
  });

  it('reads a heartbeat of no sense as one that is safe', () => {
    expect(decode('hello', '{"hb_ms":0}')).toMatchObject({ hbMs: 1_000, mode: 'snapshot' });
    expect(decode('hello', '{}')).toMatchObject({ hbMs: 15_000 });
  });
});

describe('decodeJob', () => {
  it('reads the stream’s form and the resource’s form to the same job', () => {
    const nested = decodeJob(frame());
    const flat = decodeJob({
      id: 'j1',
      version: 1_000_001,
      run: 1,
      status: 'processing',
      kind: 'video.generate',
      queue: 'video',
      owner: 'u1',
      attempt: 1,
      max_attempts: 3,
      progress: 40,
      stage: 'render',
      stage_i: 3,
      stage_n: 5,
      eta_ms: 30_000,
      created_at: '2026-11-01T10:00:00Z',
      updated_at: '2026-11-01T10:00:05Z',
    });
    expect(nested).not.toBeNull();
    expect(flat).toEqual(nested);
  });

  it('bounds percentages and drops artifacts without a place', () => {
    const read = decodeJob(frame({ progress: { pct: 140 }, artifacts: [{ name: 'a' }, 7, { name: 'b', url: '/b' }] }));
    expect(read?.progress.pct).toBe(100);
    expect(read?.artifacts).toEqual([{ name: 'b', type: '', url: '/b', bytes: null }]);
  });
});
