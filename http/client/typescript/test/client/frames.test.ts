import { createParser } from 'eventsource-parser';
import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../client/src/events.js';
import { type Frame, FrameReader, maxFrameChars } from '../../client/src/frames.js';
import { decodeJob, decodeResource } from '../../client/src/index.js';
import { frame, hello, sse, view } from '../rig.js';

function read(chunks: Uint8Array[]): { frames: string[]; retry: number | null } {
  const reader = new FrameReader();
  const frames = chunks.flatMap((chunk) => reader.feed(chunk)).map(({ id, event, data }) => `${id}|${event}|${data}`);
  return { frames, retry: reader.retryMs };
}

/** A parser by others, of text: what it gives out is what there is. */
function readByOthers(text: string): string[] {
  const frames: string[] = [];
  let last = '';
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      last = id ?? last;
      frames.push(`${last}|${event ?? 'message'}|${data}`);
    },
  });
  parser.feed(text);
  return frames;
}

const prompt = 'Zürich 🎬 \u2028 雨';
const text = `\uFEFFretry: 1873\r\n${hello()}: comment\r\n\r\n${sse('job', frame({ owner: prompt }), 'e-1')}data:two\r\ndata: lines\r\rdata\n\nid: 9\n\n${sse('ready', { jobs: 1 })}`;
const bytes = new TextEncoder().encode(text);

describe('FrameReader', () => {
  it('reads the same from bytes cut at every place, and byte by byte', () => {
    const whole = read([bytes]);
    expect(whole.frames).toHaveLength(5);
    expect(whole.retry).toBe(1873);
    expect(whole.frames[1]).toContain(prompt);
    expect(whole.frames[2]).toBe('e-1|message|two\nlines');
    expect(whole.frames[4]).toMatch(/^9\|ready/);
    for (let cut = 0; cut <= bytes.length; cut++) expect(read([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole);
    expect(read(Array.from(bytes, (_, i) => bytes.slice(i, i + 1)))).toEqual(whole);
  });

  it('agrees with a parser of others on random streams', () => {
    const seed = Date.now() % 1e9;
    let state = seed;
    const random = (n: number) => (state = (state * 48_271) % 2_147_483_647) % n;
    const parts = ['data', 'event', 'id', 'retry', ':', ': ', ' ', '\n', '\n\n', '\r\n', '\r\n\r\n', 'x', '雨', '🎬', '\0', '7', '\u2028', '{"a":1}'];
    for (let round = 0; round < 2_000; round++) {
      let source = '';
      for (let i = random(40); i >= 0; i--) source += parts[random(parts.length)];
      source += '\n\ndata: end\n\n';
      const all = new TextEncoder().encode(source);
      const chunks: Uint8Array[] = [];
      for (let i = 0; i < all.length; ) chunks.push(all.slice(i, (i += 1 + random(7))));
      // An id in a frame without data: others forget it, where the standard keeps it.
      const withoutIds = (frames: string[]) => frames.map((one) => one.slice(one.indexOf('|')));
      expect(withoutIds(read(chunks).frames), `seed ${seed}, ${JSON.stringify(source)}`).toEqual(withoutIds(readByOthers(source)));
    }
  });

  it('does not give out a frame that was cut off', () => {
    expect(read([bytes.slice(0, -1)]).frames).toHaveLength(4);
  });

  it('refuses a frame without end, in one line or in many', () => {
    const endless = new Uint8Array(1 << 20).fill(120);
    const line = new TextEncoder().encode(`data: ${'x'.repeat(1 << 20)}\n`);
    for (const piece of [endless, line])
      expect(() => read(Array.from({ length: maxFrameChars / (1 << 20) + 1 }, () => piece))).toThrow('too long');
  });
});

describe('decodeEvent', () => {
  const decode = (event: string, data: string) => decodeEvent({ event, data, id: '' } satisfies Frame, '');

  it('ignores what it does not know and what it cannot read', () => {
    expect(decode('surprise', '{}')).toBeNull();
    expect(decode('stats', '{}')).toBeNull();
    expect(decode('job', 'not json')).toBeNull();
    expect(decode('job', '[]')).toBeNull();
    expect(decode('job', JSON.stringify(frame({ status: 'melting' })))).toBeNull();
  });

  it('reads a heartbeat of no sense as one that is safe', () => {
    expect(decode('hello', '{"hb_ms":0}')).toMatchObject({ hbMs: 1_000 });
    expect(decode('hello', '{}')).toMatchObject({ hbMs: 15_000 });
  });

  it('reads places and statistics', () => {
    const place = { id: 'j1', reason: 'position', position: 7, capped: true, until: null, eta_ms: { p50: 38_000, p90: 61_000 } };
    expect(decode('place', JSON.stringify(place))).toEqual({
      type: 'place',
      place: { id: 'j1', reason: 'position', position: 7, capped: true, until: null, etaMs: { p50: 38_000, p90: 61_000 } },
    });
    expect(decode('stats', '{"queues":[],"totals":{}}')).toMatchObject({ type: 'stats' });
  });
});

describe('decodeJob', () => {
  it('tells of a request to cancel, where there is one', () => {
    const cancel = { state: 'too_late', by: 'ann', reason: 'too costly', at: '2026-03-01T12:00:00Z' };
    expect(decodeJob(frame({ cancel }))?.cancel).toEqual(cancel);
    expect(decodeResource(view({ cancel }))?.cancel).toEqual(cancel);
    for (const none of [undefined, null, 'x', []]) expect(decodeJob(frame({ cancel: none }))?.cancel).toBeNull();
  });

  it('reads the stream’s form and the resource’s form to the same job', () => {
    expect(decodeJob(frame())).not.toBeNull();
    expect(decodeResource(view())).toEqual(decodeJob(frame()));
  });

  it('bounds percentages, drops artifacts without a place, and finds those of another origin', () => {
    const artifacts = [{ name: 'a' }, 7, { name: 'b', url: '/b' }, { name: 'c', url: 'https://cdn.example/c' }];
    const job = decodeJob(frame({ progress: { pct: 140 }, artifacts }), 'https://jobs.example');
    expect(job?.progress.pct).toBe(100);
    expect(job?.artifacts.map(({ url }) => url)).toEqual(['https://jobs.example/b', 'https://cdn.example/c']);
  });

  it('keeps revs exact up to 2^53', () => {
    const rev = 2 ** 53 - 1;
    expect(decodeJob(JSON.parse(JSON.stringify(frame({ rev }))))?.rev).toBe(9_007_199_254_740_991);
  });

  it('tells apart by status', () => {
    const job = decodeJob(frame({ status: 'failed', terminal: true, error: { code: 'boom', message: 'b', fingerprint: 'f' } }));
    if (job?.status !== 'failed') throw new Error('not failed');
    expect(job.error.code satisfies string).toBe('boom');
    expect(job.finishedAt satisfies number).toBe(Date.parse('2026-11-01T10:00:05Z'));
  });
});
