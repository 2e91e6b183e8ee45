import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect, type Job, Problem, type TokenRequest, type Troupe, type TroupeOptions } from '../../client/src/index.js';
import { done, frame, hello, problem, ready, Server, sse, view } from '../rig.js';

let server: Server;
let client: Troupe;
const forgets: (() => void)[] = [];

function start(options: Partial<TroupeOptions> = {}): void {
  client = connect({ fetch: server.fetch, ...options });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  server = new Server();
  start();
});

afterEach(async () => {
  for (const forget of forgets.splice(0)) forget();
  await pass(2_000);
  expect(server.open).toHaveLength(0);
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const state = () => client.connection.get();
const watchJob = (id = 'j1', watcher: Parameters<Troupe['watchJob']>[1] = {}) => {
  const forget = client.watchJob(id, watcher);
  forgets.push(forget);
  return forget;
};
const waitTime = () => (state().retryAt ?? 0) - Date.now();

async function goLive(...frames: string[]): Promise<void> {
  watchJob();
  await pass(0);
  server.stream.write(hello() + frames.join('') + ready());
  await pass(0);
  expect(state()).toMatchObject({ phase: 'live', covered: ['job:j1'] });
}

describe('one connection', () => {
  it('is shared by all who watch, and closed a second after the last', async () => {
    const first = watchJob('j1');
    const second = watchJob('j1');
    watchJob('j2')();
    await pass(0);
    expect(server.streams).toHaveLength(1);
    expect(server.stream.body.topics).toEqual(['job:j1', 'job:j2']);
    server.stream.write(hello() + sse('job', frame()) + ready());
    first();
    await pass(5_000);
    expect(server.stream.body.topics).toEqual(['job:j1']); // what nobody watches any more is left out
    server.stream.write(hello() + ready());
    await pass(5_000);
    expect(server.open).toHaveLength(1);
    second();
    second();
    await pass(999);
    expect(server.open).toHaveLength(1);
    await pass(52);
    expect(server.open).toHaveLength(0);
    expect(state().phase).toBe('idle');
  });

  it('survives being left and joined again within the linger', async () => {
    const first = watchJob();
    first();
    watchJob();
    await pass(0);
    server.stream.write(hello() + sse('job', frame()) + ready());
    await pass(20_000);
    expect(server.streams).toHaveLength(1);
    expect(state().phase).toBe('live');
  });

  it('makes the next stream ready before it drops the old one when topics are added', async () => {
    await goLive(sse('job', frame()));
    const old = server.stream;
    watchJob('j2');
    watchJob('j3');
    await pass(50);
    expect(server.streams).toHaveLength(2);
    expect(server.stream.body).toEqual({ topics: ['job:j1', 'job:j2', 'job:j3'], known: { j1: 1_000_001 } });
    expect(old.aborted).toBe(false);
    old.write(sse('job', frame({ rev: 1_000_002 })));
    await pass(0);
    expect(client.jobs.get('j1')?.rev).toBe(1_000_002);
    server.stream.write(hello() + sse('job', frame({ id: 'j2' })));
    await pass(0);
    expect(old.aborted).toBe(false);
    server.stream.write(ready());
    await pass(0);
    expect(old.aborted).toBe(true);
    expect(server.open).toHaveLength(1);
    expect(state()).toMatchObject({ phase: 'live', covered: ['job:j1', 'job:j2', 'job:j3'] });
  });

  it('keeps what it has when more is refused', async () => {
    await goLive(sse('job', frame()));
    server.refusals.push(problem(403, 'forbidden'));
    watchJob('j2');
    await pass(60_000 - 25_000);
    expect(state()).toMatchObject({ phase: 'live', problem: { status: 403, code: 'forbidden' } });
    expect(server.open).toHaveLength(1);
  });

  it('refuses more topics than a stream may have', () => {
    for (let i = 0; i < 500; i++) watchJob(`x${i}`);
    expect(() => watchJob('one more')).toThrow(Problem);
    watchJob('x7');
  });

  it('goes on where it was, but not on other topics', async () => {
    forgets.push(client.watch('owner:me'));
    await pass(0);
    server.stream.write(hello() + sse('job', frame(), 'e-0') + ready('e-7') + sse('job', frame({ rev: 1_000_002 }), 'e-9'));
    await pass(0);
    server.stream.cut();
    await pass(5_000);
    expect(server.stream.body).toEqual({ topics: ['owner:me'], known: { j1: 1_000_002 }, since: 'e-9' });
    server.stream.cut();
    forgets.push(client.watch('queue:video'));
    await pass(50);
    expect(server.stream.body).toEqual({ topics: ['owner:me', 'queue:video'], known: { j1: 1_000_002 } });
  });
});

describe('jobs', () => {
  it('are applied if and only if their rev is greater', async () => {
    const seen: (number | undefined)[] = [];
    watchJob('j1', { onChange: (job) => seen.push(job?.rev) });
    await goLive(sse('job', frame({ rev: 5 })), sse('job', frame({ rev: 4 })), sse('job', frame({ rev: 5 })));
    server.stream.write(sse('job', frame({ rev: 9 })));
    await pass(0);
    expect(seen).toEqual([5, 9]);
    const same = client.jobs.get('j1');
    server.stream.write(sse('job', frame({ rev: 8 })));
    await pass(0);
    expect(client.jobs.get('j1')).toBe(same);
  });

  it('complete once for each run, and only by a terminal state', async () => {
    const ended: string[] = [];
    const onComplete = (job: Job) => ended.push(`${job.id}/${job.run} ${job.status}`);
    watchJob('j1', { onComplete });
    await goLive(sse('job', frame({ status: 'queued' })));
    server.stream.write(sse('job', frame({ rev: 2_000_000, status: 'retrying', error: { code: 'x', message: 'y' } })));
    server.stream.close(); // the end of a connection is no end of a job
    await pass(5_000);
    expect(ended).toEqual([]);
    server.stream.write(hello() + sse('job', done({ rev: 3_000_000 })) + ready() + sse('job', done({ rev: 3_000_001 })));
    server.stream.write(sse('end', { reason: 'done', retry_ms: 0, resume: false }));
    await pass(60_000);
    expect(ended).toEqual(['j1/1 completed']);
    expect(server.streams).toHaveLength(2);
    expect(state()).toMatchObject({ phase: 'closed', reason: 'done' });
    client.apply({ ...(client.jobs.get('j1') as Job), rev: 4_000_000, run: 2, terminal: false, status: 'queued' } as Job);
    await pass(50);
    expect(server.streams).toHaveLength(3); // a new life is watched again
    server.stream.write(hello() + sse('job', done({ rev: 5_000_000, run: 2, status: 'cancelled' })) + ready());
    await pass(0);
    expect(ended).toEqual(['j1/1 completed', 'j1/2 cancelled']);
    watchJob('j1', { onComplete });
    await pass(0);
    expect(ended).toHaveLength(3); // who comes later is told, too
  });

  it('that have ended are watched on beside others: somebody may give them another run', async () => {
    watchJob('j1');
    watchJob('j2');
    await pass(0);
    server.stream.write(hello() + sse('job', done({ id: 'j1' })) + sse('job', frame({ id: 'j2' })) + ready());
    await pass(0);
    watchJob('j3');
    await pass(50);
    expect(server.stream.body.topics).toEqual(['job:j1', 'job:j2', 'job:j3']);
    server.stream.write(hello() + ready() + sse('job', frame({ id: 'j1', run: 2, rev: 9_000_000 })));
    await pass(0);
    expect(client.jobs.get('j1')?.status).toBe('processing');
  });

  it('are forgotten when they were removed, but for newer states', async () => {
    await goLive(sse('job', frame({ rev: 7 })));
    server.stream.write(sse('removed', { id: 'j1', rev: 6, reason: 'filter' }));
    await pass(0);
    expect(client.jobs.get('j1')?.rev).toBe(7);
    server.stream.write(sse('removed', { id: 'j1', rev: 7, reason: 'purged' }));
    await pass(0);
    expect(client.jobs.get('j1')).toBeUndefined();
  });

  it('that the stream does not show are asked for once, and said to be missing', async () => {
    server.answer = () => Response.json({ jobs: [], missing: ['j1'] });
    const seen = vi.fn();
    client.jobs.watch('j1', seen);
    await goLive();
    expect(client.jobs.isMissing('j1')).toBe(false);
    await pass(1_000);
    expect(server.asked.map(({ path }) => path)).toEqual(['/v1/jobs?ids=j1']);
    expect(client.jobs.isMissing('j1')).toBe(true);
    expect(seen).toHaveBeenCalledOnce();
  });

  it('have a place while they wait', async () => {
    const place = (over = {}) => sse('place', { id: 'j1', reason: 'position', position: 3, capped: false, until: null, eta_ms: null, ...over });
    await goLive(sse('job', frame({ status: 'queued' })), place());
    expect(client.jobs.place('j1')).toMatchObject({ position: 3 });
    server.stream.write(sse('job', frame({ rev: 1_000_002 })) + place());
    await pass(0);
    expect(client.jobs.place('j1')).toBeUndefined();
  });

  it('are bounded: the ended that nobody watches are forgotten first', async () => {
    start({ maxJobs: 10 });
    watchJob('j0');
    forgets.push(client.watch('all'));
    await pass(0);
    let frames = sse('job', done({ id: 'j0' }));
    for (let i = 1; i <= 5; i++) frames += sse('job', frame({ id: `live${i}` }));
    for (let i = 1; i <= 20; i++) frames += sse('job', done({ id: `old${i}`, at: { created: '2026-11-01T10:00:00Z', updated: `2026-11-01T10:00:${10 + i}Z` } }));
    server.stream.write(hello() + frames + ready());
    await pass(0);
    const ids = client.jobs.all().map((job) => job.id);
    expect(ids.length).toBeLessThanOrEqual(10);
    expect(ids).toEqual(expect.arrayContaining(['j0', 'live1', 'live5', 'old20']));
  });

  it('tell nobody twice in one read, and a watcher’s fault does not end the stream', async () => {
    const all = vi.fn();
    client.jobs.watchAll(all);
    client.jobs.watch('j1', () => {
      throw new Error('a fault of the screen');
    });
    const live = goLive(sse('job', frame({ rev: 1 })), sse('job', frame({ rev: 2 })), sse('job', frame({ rev: 3 })));
    await expect(live).rejects.toThrow('a fault of the screen'); // reported by a timer of its own
    expect(all).toHaveBeenCalledOnce();
    expect(state().phase).toBe('live');
    expect(client.jobs.get('j1')?.rev).toBe(3);
  });

  it('keeps the statistics of operators', async () => {
    forgets.push(client.watch('stats'));
    await pass(0);
    server.stream.write(hello() + ready() + sse('stats', { at: 'x', queues: [], totals: { waiting: 3 } }));
    await pass(0);
    expect(client.stats.get()?.totals.waiting).toBe(3);
  });
});

describe('reconnecting', () => {
  it('waits longer after each failure, up to 30 s, and less once it was ready', async () => {
    watchJob();
    const waits: number[] = [];
    await pass(0);
    for (let i = 0; i < 9; i++) {
      server.stream.cut();
      await pass(0);
      waits.push(waitTime());
      await pass(waitTime());
    }
    expect(waits).toEqual([750, 1_250, 2_250, 4_250, 8_250, 15_250, 15_250, 15_250, 15_250]);
    server.stream.write(hello() + sse('job', frame()) + ready());
    await pass(0);
    server.stream.cut();
    await pass(0);
    expect(waitTime()).toBe(750);
  });

  it('honours retry, retry_ms and Retry-After', async () => {
    watchJob();
    await pass(0);
    server.stream.write(`retry: 2900\n${hello()}`);
    await pass(0);
    server.stream.cut();
    await pass(0);
    expect(waitTime()).toBe(2_900);
    server.refusals.push(problem(503, 'draining', { 'Retry-After': '7' }), problem(429, 'too_many', { 'Retry-After': '9' }));
    await pass(2_900);
    expect(waitTime()).toBe(7_000);
    await pass(7_000);
    expect(waitTime()).toBe(9_000);
    await pass(9_000);
    server.stream.write(hello() + ready() + sse('end', { reason: 'drain', retry_ms: 4_321 }));
    await pass(0);
    expect(waitTime()).toBe(4_321);
  });

  it('tries soon when the browser is back, also right after a failure, and is patient anew', async () => {
    watchJob();
    await pass(0);
    for (let i = 0; i < 6; i++) {
      server.stream.cut();
      await pass(0);
      await pass(waitTime());
    }
    server.stream.cut();
    await pass(300);
    expect(waitTime()).toBeGreaterThan(10_000);
    client.reconnect();
    expect(waitTime()).toBe(700); // a second after the last attempt
    await pass(700);
    expect(server.streams).toHaveLength(8);
    server.stream.cut();
    await pass(0);
    expect(waitTime()).toBe(750);
  });

  it('takes a stream for lost when the network changes, until the next says otherwise', async () => {
    await goLive(sse('job', frame()));
    await pass(2_000);
    client.reconnect(); // as when the browser goes offline, comes back, or was frozen
    expect(state().phase).toBe('reconnecting');
    expect(server.streams[0]?.aborted).toBe(true);
    client.reconnect();
    client.reconnect();
    await pass(0);
    expect(server.streams).toHaveLength(2);
    server.stream.write(hello() + ready());
    await pass(0);
    expect(state().phase).toBe('live');
    client.reconnect(); // a stream of this second speaks for itself
    expect(state().phase).toBe('live');
  });

  it('says when it was last heard of', async () => {
    await goLive(sse('job', frame()));
    const heardAt = client.heardAt;
    await pass(15_000);
    expect(client.heardAt).toBe(heardAt);
    server.stream.write(sse('hb', { now: 'x' }));
    await pass(0);
    expect(client.heardAt).toBe(heardAt + 15_000);
  });

  it('takes 2.5 heartbeats of silence for a dead connection, and any byte for life', async () => {
    await goLive(sse('job', frame()));
    await pass(37_000);
    server.stream.write(': alive\n\n');
    await pass(37_400);
    expect(state().phase).toBe('live');
    await pass(200);
    expect(server.streams[0]?.aborted).toBe(true);
    expect(state().phase).toBe('reconnecting');
    await pass(1_000);
    expect(server.streams).toHaveLength(2);
  });

  it.each([
    ['done', 'closed'],
    ['revoked', 'closed'],
    ['superseded', 'closed'],
    ['max_age', 'reconnecting'],
    ['slow', 'reconnecting'],
    ['drain', 'reconnecting'],
    ['expired', 'reconnecting'],
    ['a reason of the future', 'reconnecting'],
  ])('after end %s it is %s', async (reason, phase) => {
    await goLive(sse('job', frame()));
    server.stream.write(sse('end', { reason, retry_ms: null }));
    await pass(0);
    expect(state().phase).toBe(phase);
    await pass(2_000);
    expect(server.streams).toHaveLength(phase === 'closed' ? 1 : 2);
  });

  it('stops at 204', async () => {
    server.refusals.push(new Response(null, { status: 204 }));
    watchJob();
    await pass(60_000);
    expect(state()).toMatchObject({ phase: 'closed', reason: 'done' });
    expect(server.streams).toHaveLength(0);
  });

  it('stops at a refusal that will not pass, not at one that will, and tries again when told to', async () => {
    server.refusals.push(new Response('', { status: 502 }), new Response('<html>', { status: 200 }), 'no network', problem(403, 'forbidden'));
    watchJob();
    await pass(60_000);
    expect(state()).toMatchObject({ phase: 'closed', reason: 'refused', problem: { status: 403, code: 'forbidden' } });
    client.reconnect();
    await pass(0);
    server.stream.write(hello() + ready());
    await pass(0);
    expect(state()).toMatchObject({ phase: 'live', problem: null });
  });

  it('shows a fault until the stream is well again, and stops at a fatal one', async () => {
    await goLive(sse('job', frame()));
    server.stream.write(sse('fault', { code: 'db_unavailable', message: 'x', retry_ms: 1_000, fatal: false }));
    await pass(0);
    expect(state().fault?.code).toBe('db_unavailable');
    server.stream.write(sse('job', frame({ rev: 1_000_002 })));
    await pass(0);
    expect(state()).toMatchObject({ fault: null, phase: 'live' });
    server.stream.write(sse('fault', { code: 'gone', message: 'x', fatal: true }));
    await pass(60_000);
    expect(state()).toMatchObject({ phase: 'closed', reason: 'fault' });
    expect(server.streams).toHaveLength(1);
  });
});

describe('tokens', () => {
  it('are asked for once, again when topics change, and once after 401', async () => {
    const asked: TokenRequest[] = [];
    start({
      getToken: (request) => {
        asked.push(request);
        return `t${asked.length}`;
      },
    });
    await goLive(sse('job', frame()));
    expect(server.stream.token).toBe('Bearer t1');
    server.stream.cut();
    server.refusals.push(problem(401, 'unauthenticated'));
    await pass(1_000);
    expect(server.stream.token).toBe('Bearer t2');
    server.stream.write(hello() + ready());
    watchJob('j2');
    await pass(50);
    expect(server.stream.token).toBe('Bearer t3');
    expect(asked).toEqual([
      { topics: ['job:j1'], refused: false },
      { topics: ['job:j1'], refused: true },
      { topics: ['job:j1', 'job:j2'], refused: false },
    ]);
  });

  it('that are refused twice end it', async () => {
    start({ getToken: async () => 'old' });
    server.refusals.push(problem(401, 'unauthenticated'), problem(401, 'unauthenticated'));
    watchJob();
    await pass(60_000);
    expect(state()).toMatchObject({ phase: 'closed', problem: { status: 401 } });
    expect(server.streams).toHaveLength(0);
  });

  it('are renewed when the stream ended with theirs, and a failure to get one passes', async () => {
    let tokens = 0;
    start({
      getToken: async () => {
        if (++tokens === 2) throw new Error('no token now');
        return `t${tokens}`;
      },
    });
    await goLive(sse('job', frame()));
    server.stream.write(sse('end', { reason: 'expired', retry_ms: null }));
    await pass(500);
    expect(server.streams).toHaveLength(1);
    await pass(2_000);
    expect(server.stream.token).toBe('Bearer t3');
  });
});

describe('polling', () => {
  it('begins when no byte comes in 10 s, with ETags, and ends when the stream is back', async () => {
    server.refusals.push('mute');
    let version = 1_000_001;
    server.answer = ({ headers }) => {
      const etag = `"${version}"`;
      if (headers.get('If-None-Match') === etag) return new Response(null, { status: 304 });
      return Response.json({ jobs: [view({ version })] }, { headers: { ETag: etag } });
    };
    const seen: (number | undefined)[] = [];
    watchJob('j1', { onChange: (job) => seen.push(job?.rev) });
    await pass(9_999);
    expect(state().phase).toBe('connecting');
    await pass(1);
    expect(state().phase).toBe('polling');
    expect(seen).toEqual([1_000_001]);
    await pass(3_000);
    version = 1_000_002;
    await pass(3_000);
    expect(seen).toEqual([1_000_001, 1_000_002]);
    expect(server.asked.every(({ path }) => path === '/v1/jobs?ids=j1')).toBe(true);
    expect(server.streams).toHaveLength(1);
    expect(state().phase).toBe('polling');
    server.stream.write(hello() + ready());
    await pass(0);
    expect(state().phase).toBe('live');
    const asked = server.asked.length;
    server.stream.write(sse('hb', {}));
    await pass(30_000);
    expect(server.asked).toHaveLength(asked);
  });

  it('asks for the newest of topics that are no job’s, and completes jobs', async () => {
    server.refusals.push('mute', 'mute', 'mute');
    server.answer = ({ path }) =>
      Response.json({ jobs: path.includes('ids=') ? [view({ version: 1_000_009, status: 'completed', terminal: true })] : [view({ id: 'j2' })] });
    const ended = vi.fn();
    watchJob('j1', { onComplete: ended });
    forgets.push(client.watch('queue:video'));
    await pass(20_000);
    expect(ended).toHaveBeenCalledOnce();
    expect(server.asked.map(({ path }) => path)).toContain('/v1/jobs?queue=video');
    expect(client.jobs.get('j2')?.status).toBe('processing');
  });
});
