import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect, followLogs, followOutput, type FollowOptions } from '../../client/src/index.js';
import { hello, problem, Server, sse } from '../rig.js';

let server: Server;
const seen: (string | number)[] = [];
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const line = (seq: number) => sse('log', { seq, at: '2026-11-01T10:00:00Z', level: 'warn', attempt: 1, text: `line ${seq}` }, String(seq));

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
  server = new Server();
  seen.length = 0;
});

afterEach(() => vi.useRealTimers());

function read(options: FollowOptions = {}, follow = followLogs): Promise<unknown> {
  const client = connect({ fetch: server.fetch });
  return (async () => {
    for await (const item of follow(client, 'j1', options)) seen.push(item.type === 'gap' ? `${item.from}..${item.to}` : item.seq);
    return 'ended';
  })().catch((problem: unknown) => problem);
}

describe('followLogs', () => {
  it('gives each line once, over lost connections, and ends with the job', async () => {
    const reading = read({ tail: 10 });
    await pass(0);
    expect(server.stream.path).toBe('/v1/jobs/j1/logs?follow=1&tail=10');
    server.stream.write(hello() + line(1) + line(2) + line(3).slice(0, -1));
    await pass(0);
    server.stream.cut();
    await pass(1_000);
    expect(server.stream.path).toBe('/v1/jobs/j1/logs?follow=1&after=2');
    server.stream.write(hello() + line(2) + line(3));
    await pass(0);
    server.stream.close();
    server.refusals.push('no network', problem(503, 'draining', { 'Retry-After': '3' }));
    await pass(10_000);
    server.stream.write(hello() + line(3) + line(4) + sse('end', { reason: 'max_age' }));
    await pass(1_000);
    server.stream.write(hello() + sse('gap', { from: 5, to: 8 }) + line(7) + line(9) + sse('end', { reason: 'done' }));
    expect(await reading).toBe('ended');
    expect(seen).toEqual([1, 2, 3, 4, '5..8', 9]);
    await pass(60_000);
    expect(server.open).toHaveLength(0);
    expect(server.streams).toHaveLength(4);
  });

  it('takes silence for a lost connection', async () => {
    void read();
    await pass(0);
    server.stream.write(hello({ hb_ms: 2_000 }) + line(1));
    await pass(4_900);
    server.stream.write(sse('hb', {}));
    await pass(4_900);
    expect(server.streams).toHaveLength(1);
    await pass(1_000);
    expect(server.streams).toHaveLength(2);
    server.stream.write(sse('end', { reason: 'done' }));
    await pass(0);
  });

  it('says why it is refused', async () => {
    server.refusals.push(problem(404, 'not_found'));
    expect(await read()).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('can be left', async () => {
    const abort = new AbortController();
    const reading = read({ signal: abort.signal });
    await pass(0);
    server.stream.write(hello() + line(1));
    await pass(0);
    abort.abort();
    await pass(0);
    expect(await reading).toBe('ended');
    expect(server.stream.aborted).toBe(true);
    expect(seen).toEqual([1]);
  });
});

describe('followOutput', () => {
  it('reads chunks', async () => {
    const reading = read({ after: 4 }, followOutput as typeof followLogs);
    await pass(0);
    expect(server.stream.path).toBe('/v1/jobs/j1/output?follow=1&after=4');
    server.stream.write(hello() + sse('chunk', { seq: 5, attempt: 1, data: 'a' }, '5') + sse('end', { reason: 'done' }));
    expect(await reading).toBe('ended');
    expect(seen).toEqual([5]);
  });
});
