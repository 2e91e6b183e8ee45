import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection, muteMs } from '../src/stream/connection';
import type { StreamEvent } from '../src/stream/events';
import { frame, hello, sse } from './jobs';
import { Server } from './server';

let server: Server;
let events: StreamEvent[];
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  events = [];
  connection = new Connection({
    url: '/v1/stream',
    onEvents: (some) => events.push(...some),
    fetch: server.fetch,
    random: () => 0.5,
  });
});

afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const ready = () => sse('ready', { jobs: 0 }, 'e-7');

async function goLive(): Promise<void> {
  connection.start();
  await pass(0);
  server.stream.write(hello() + ready());
  await pass(0);
  expect(connection.state).toMatchObject({ phase: 'live', complete: true });
}

describe('Connection', () => {
  it('makes one connection, however often it is started', async () => {
    connection.start();
    connection.start();
    await pass(5_000);
    connection.start();
    expect(server.streams).toHaveLength(1);
  });

  it('reconnects with the last id that it was given', async () => {
    await goLive();
    server.stream.write(sse('job', frame(), 'e-9'));
    await pass(0);
    server.stream.cut();
    await pass(0);
    expect(connection.state.phase).toBe('reconnecting');
    await pass(1_000);
    expect(server.streams).toHaveLength(2);
    expect(server.stream.lastEventId).toBe('e-9');
  });

  it('takes 2.5 heartbeats of silence for a dead connection, and any byte for life', async () => {
    await goLive();
    await pass(37_000);
    server.stream.write(': alive\n\n');
    await pass(37_400);
    expect(connection.state.phase).toBe('live');
    await pass(200);
    expect(server.streams[0]?.aborted).toBe(true);
    expect(connection.state.phase).toBe('reconnecting');
  });

  it('waits longer after each failure, up to 30 s, and is patient no more once it was ready', async () => {
    connection.start();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      await pass(0);
      server.stream.cut();
      await pass(0);
      const wait = (connection.state.retryAt ?? 0) - Date.now();
      waits.push(wait);
      await pass(wait);
    }
    expect(waits).toEqual([750, 1_250, 2_250, 4_250, 8_250, 15_250, 15_250, 15_250, 15_250]);
    server.stream.write(hello() + ready());
    await pass(0);
    server.stream.cut();
    await pass(0);
    expect((connection.state.retryAt ?? 0) - Date.now()).toBe(750);
  });

  it('honours retry, retry_ms and Retry-After', async () => {
    connection.start();
    await pass(0);
    server.stream.write(`retry: 2900\n${hello()}`);
    await pass(0);
    server.stream.cut();
    await pass(0);
    expect((connection.state.retryAt ?? 0) - Date.now()).toBe(2_900);
    server.refusals.push(new Response('', { status: 503, headers: { 'Retry-After': '7' } }));
    await pass(2_900);
    expect((connection.state.retryAt ?? 0) - Date.now()).toBe(7_000);
    await pass(7_000);
    server.stream.write(hello() + ready() + sse('end', { reason: 'drain', retry_ms: 4_321 }));
    await pass(0);
    expect((connection.state.retryAt ?? 0) - Date.now()).toBe(4_321);
  });

  it('reconnects at once when the browser is back', async () => {
    await goLive();
    server.stream.write(sse('end', { reason: 'drain', retry_ms: 20_000 }));
    await pass(2_000);
    connection.wake();
    connection.wake();
    await pass(0);
    expect(server.streams).toHaveLength(2);
  });

  it('drops a connection that fell silent while the page was frozen', async () => {
    await goLive();
    vi.setSystemTime(Date.now() + 3_600_000); // timers stood still
    connection.wake();
    await pass(0);
    expect(server.streams[0]?.aborted).toBe(true);
    expect(connection.state.phase).toBe('reconnecting');
  });

  it('asks for a sign-in at 401 and goes on after it', async () => {
    server.refusals.push(new Response('', { status: 401 }));
    connection.start();
    await pass(60_000);
    expect(connection.state.phase).toBe('signed_out');
    expect(server.streams).toHaveLength(0);
    await goLive();
  });

  it.each([
    ['done', 'closed'],
    ['revoked', 'closed'],
    ['superseded', 'closed'],
    ['max_age', 'reconnecting'],
    ['slow', 'reconnecting'],
    ['expired', 'reconnecting'],
    ['a reason of the future', 'reconnecting'],
  ])('after end %s it is %s', async (reason, phase) => {
    await goLive();
    server.stream.write(sse('end', { reason, retry_ms: null }));
    await pass(0);
    expect(connection.state.phase).toBe(phase);
    await pass(2_000);
    expect(server.streams).toHaveLength(phase === 'closed' ? 1 : 2);
  });

  it('stops at a refusal that will not pass, and not at one that will', async () => {
    server.refusals.push(new Response('', { status: 502 }), new Response('<html>', { status: 200 }));
    server.refusals.push(new Response('', { status: 403 }));
    connection.start();
    await pass(60_000);
    expect(connection.state).toMatchObject({ phase: 'closed', reason: 'refused_403' });
  });

  it('polls when no byte comes in 10 s, and stops when one does', async () => {
    connection.start();
    await pass(muteMs);
    expect(connection.state.phase).toBe('polling');
    await pass(1_000);
    expect(server.streams).toHaveLength(2);
    expect(connection.state.phase).toBe('polling');
    server.stream.write(hello());
    await pass(0);
    expect(connection.state.phase).toBe('live');
  });

  it('shows a fault until the stream is well again', async () => {
    await goLive();
    server.stream.write(sse('fault', { code: 'db_unavailable', message: 'x', retry_ms: 1_000, fatal: false }));
    await pass(0);
    expect(connection.state.fault?.code).toBe('db_unavailable');
    server.stream.write(sse('job', frame()));
    await pass(0);
    expect(connection.state).toMatchObject({ fault: null, phase: 'live' });
  });

  it('takes no event from a connection that it has given up', async () => {
    await goLive();
    const seen = events.length;
    const old = server.stream;
    connection.stop();
    old.write(sse('job', frame()));
    await pass(60_000);
    expect(events).toHaveLength(seen);
    expect(connection.state.phase).toBe('idle');
    expect(server.streams).toHaveLength(1);
  });
});
