import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cancel, connect, get, Problem, retry, submit, submitVideo, type Troupe } from '../../client/src/index.js';
import { problem, Server, view } from '../rig.js';

let server: Server;
let client: Troupe;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  client = connect({ fetch: server.fetch, baseUrl: 'https://jobs.example/' });
});

afterEach(() => vi.useRealTimers());

const accepted = () => Response.json({ ...view({ status: 'queued' }), stream: { url: '/v1/jobs/j1/stream' } }, { status: 202 });

describe('submit', () => {
  it('sends the same key until it is answered, and the client knows the job', async () => {
    const answers = [() => Promise.reject(new TypeError('no network')), () => problem(409, 'key_in_flight', { 'Retry-After': '1' }), accepted];
    server.answer = () => answers.shift()?.() ?? accepted();
    const answer = submit(client, { kind: 'sample.noop', payload: { a: 1 } });
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await answer).stream.url).toBe('/v1/jobs/j1/stream');
    const keys = new Set(server.asked.map(({ headers }) => headers.get('Idempotency-Key')));
    expect(server.asked).toHaveLength(3);
    expect(keys.size).toBe(1);
    expect(server.asked[0]).toMatchObject({ method: 'POST', path: 'https://jobs.example/v1/jobs', body: { kind: 'sample.noop', payload: { a: 1 } } });
    expect(client.jobs.get('j1')?.status).toBe('queued');
  });

  it('gives up in the end, and at once where trying again does not help', async () => {
    server.answer = () => problem(503, 'unavailable');
    const failing = submitVideo(client, { prompt: 'a red kite' }).catch((one: unknown) => one);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await failing).toMatchObject({ status: 503, code: 'unavailable' });
    expect(server.asked).toHaveLength(4);
    for (const answer of [problem(422, 'invalid'), problem(503, 'full', { 'Retry-After': '60' })]) {
      server.answer = () => answer;
      const before = server.asked.length;
      await expect(submit(client, { kind: 'x' }, { key: 'mine' })).rejects.toBeInstanceOf(Problem);
      expect(server.asked.slice(before).map(({ headers }) => headers.get('Idempotency-Key'))).toEqual(['mine']);
    }
  });

  it('can be given up', async () => {
    server.answer = () => problem(503, 'unavailable');
    const abort = new AbortController();
    const failing = submit(client, { kind: 'x' }, { signal: abort.signal }).catch((one: unknown) => one);
    await vi.advanceTimersByTimeAsync(100);
    abort.abort(new Error('left'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await failing).toMatchObject({ message: 'left' });
    expect(server.asked).toHaveLength(1);
  });
});

describe('actions', () => {
  it('tell the client what the server answered', async () => {
    server.answer = () => Response.json(view({ version: 2_000_000, status: 'cancelling' }));
    await cancel(client, 'j1', 'too dear');
    expect(server.asked[0]).toMatchObject({ path: 'https://jobs.example/v1/jobs/j1/cancel', body: { reason: 'too dear' } });
    expect(client.jobs.get('j1')?.status).toBe('cancelling');
    server.answer = () => Response.json(view({ version: 3_000_000, status: 'queued', payload: { a: 1 } }));
    await retry(client, 'j1');
    expect(server.asked[1]).toMatchObject({ body: {} });
    expect((await get(client, 'j1')).payload).toEqual({ a: 1 });
    server.answer = () => problem(409, 'already_ended');
    await expect(cancel(client, 'j1')).rejects.toMatchObject({ status: 409, code: 'already_ended' });
    server.answer = () => Response.json({ hello: 'captive portal' });
    await expect(get(client, 'j1')).rejects.toMatchObject({ code: 'unreadable' });
  });
});
