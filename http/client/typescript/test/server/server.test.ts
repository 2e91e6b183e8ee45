import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { acrossTabs } from '../../client/src/tabs.js';
import { cancel, connect, followLogs, followOutput, type Job, retry, submit, type Troupe, type TroupeOptions } from '../../client/src/index.js';
import { Locks } from '../locks.js';
import { TroupeNode } from './node.js';
import { type Fault, FaultProxy } from './proxy.js';

let node: TroupeNode;
const proxies: FaultProxy[] = [];
const forgets: (() => void)[] = [];
const gone: (() => void)[] = [];

beforeAll(async () => {
  node = await TroupeNode.start();
});
afterAll(async () => {
  for (const forget of forgets) forget();
  for (const leave of gone) leave();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await node.remove();
});

interface Watched {
  client: Troupe;
  revs: number[];
  pcts: number[];
  ended: Job[];
}

/** Watches a job and keeps what it is told. */
function watchJob(client: Troupe, id: string): Watched {
  const watched: Watched = { client, revs: [], pcts: [], ended: [] };
  forgets.push(
    client.watchJob(id, {
      onChange: (job) => {
        if (!job) return;
        watched.revs.push(job.rev);
        watched.pcts.push(job.progress.pct);
      },
      onComplete: (job) => watched.ended.push(job),
    }),
  );
  return watched;
}

const clientOf = (url: string, options: TroupeOptions = {}) => connect({ baseUrl: url, ...options });
const until = (check: () => void, timeout = 15_000) => vi.waitFor(check, { timeout, interval: 20 });
const sleepy = (ms: number, steps: number) => ({ kind: 'sample.sleep', payload: { ms, steps } });

async function proxy(...faults: Fault[]): Promise<FaultProxy> {
  const made = await FaultProxy.before(node.url, ...faults);
  proxies.push(made);
  return made;
}

async function toEnd(watched: Watched, status = 'completed', timeout?: number): Promise<void> {
  await until(() => expect(watched.ended).toHaveLength(1), timeout);
  expect(watched.ended[0]?.status).toBe(status);
  expect(watched.revs).toEqual([...new Set(watched.revs)].sort((a, b) => a - b));
}

/** All that a job says, with what tells one item from another. */
async function heard<Item extends { type: string }>(items: AsyncIterable<Item>, text: (item: Item) => string): Promise<string[]> {
  const all: string[] = [];
  for await (const item of items) all.push(text(item));
  return all;
}

// Most of the time is waiting: they wait together.
describe.concurrent('a job', () => {
  it('is submitted, shows its progress, and completes', async () => {
    const client = clientOf(node.url);
    const job = await submit(client, sleepy(1_000, 5), { key: 'one' });
    expect((await submit(client, sleepy(1_000, 5), { key: 'one' })).id).toBe(job.id);
    const watched = watchJob(client, job.id);
    await toEnd(watched);
    expect(watched.pcts.length).toBeGreaterThan(3);
    expect(watched.pcts.at(-1)).toBe(100);
    await until(() => expect(client.connection.get()).toMatchObject({ phase: 'closed', reason: 'done' }));
  });

  it('is cancelled, and given a new life', async () => {
    const client = clientOf(node.url);
    const job = await submit(client, sleepy(20_000, 20));
    const watched = watchJob(client, job.id);
    await until(() => expect(client.jobs.get(job.id)?.status).toBe('processing'));
    await cancel(client, job.id, 'too slow');
    await toEnd(watched, 'cancelled');
    await retry(client, job.id);
    await until(() => expect(client.jobs.get(job.id)).toMatchObject({ run: 2, status: 'processing' }));
    await cancel(client, job.id);
    await until(() => expect(watched.ended.map(({ run }) => run)).toEqual([1, 2]));
  });

  it('fails after its attempts, and each is shown as retrying, not as the end', async () => {
    const client = clientOf(node.url);
    const job = await submit(client, { kind: 'sample.fail', payload: { times: 5 }, max_attempts: 2, backoff: '300ms' });
    const statuses = new Set<string>();
    forgets.push(client.watchJob(job.id, { onChange: (one) => one && statuses.add(one.status) }));
    await toEnd(watchJob(client, job.id), 'failed');
    expect([...statuses]).toEqual(expect.arrayContaining(['retrying', 'failed']));
    const ended = client.jobs.get(job.id);
    expect(ended?.status === 'failed' && ended.error.message).toContain('failed as asked');
  });

  it('that nobody knows is said to be missing', async () => {
    const client = clientOf(node.url);
    watchJob(client, '01900000-0000-7000-8000-000000000000');
    await until(() => expect(client.jobs.isMissing('01900000-0000-7000-8000-000000000000')).toBe(true));
  });

  it('is one of a topic', async () => {
    const client = clientOf(node.url);
    forgets.push(client.watch('batch:mine'));
    await until(() => expect(client.connection.get().covered).toEqual(['batch:mine']));
    const ids = await Promise.all([1, 2, 3].map(async (i) => (await submit(clientOf(node.url), { ...sleepy(100 * i, 1), batch: 'mine' })).id));
    await until(() => expect(client.jobs.all().filter(({ terminal }) => terminal).map(({ id }) => id).sort()).toEqual(ids.sort()));
    expect(client.connection.get().phase).toBe('live');
  });
});

describe.concurrent('a network', () => {
  it('may cut logs and output anywhere: each line comes once, in order', async () => {
    const { id } = await submit(clientOf(node.url), { kind: 'sample.stream', payload: { chunks: 20, ms: 100 } });
    const cuts = [-1, 0, 1, ...Array.from({ length: 12 }, (_, i) => 2 + i * 83)];
    const clients = await Promise.all(cuts.map(async (cut) => clientOf((await proxy({ cut }, { cut })).url)));
    const output = await Promise.all(
      clients.map((client) => heard(followOutput(client, id), (item) => (item.type === 'chunk' ? item.data : 'gap'))),
    );
    const whole = Array.from({ length: 20 }, (_, i) => `chunk ${i + 1}\n`);
    for (const one of output) expect(one.join('')).toBe(whole.join(''));
    const logs = await Promise.all(clients.map((client) => heard(followLogs(client, id), (item) => (item.type === 'log' ? item.text : 'gap'))));
    for (const one of logs) expect(one).toEqual(logs[0]);
    expect(logs[0]?.at(-1)).toBe('said all');
  });

  it('may cut streams anywhere', async () => {
    const { id } = await submit(clientOf(node.url), sleepy(3_000, 12));
    // -1 and 0 are around the headers; the rest falls into ids, names, data, line ends and between frames.
    const cuts = [-1, 0, 1, 2, ...Array.from({ length: 44 }, (_, i) => 3 + i * 41)];
    const faulty = await Promise.all(cuts.map((cut) => proxy({ cut })));
    const watched = faulty.map(({ url }) => watchJob(clientOf(url), id));
    await Promise.all(watched.map((one) => toEnd(one)));
    expect(Math.min(...faulty.map(({ streams }) => streams))).toBeGreaterThan(1);
  });

  it('may refuse for a while', async () => {
    const behind = await proxy({ cut: 900 }, { status: 503, retryAfter: 1 }, { status: 502, retryAfter: 0 });
    const client = clientOf(behind.url);
    const { id } = await submit(client, sleepy(1_500, 10));
    await toEnd(watchJob(client, id));
    expect(behind.streams).toBe(4);
  });

  it('may let no stream through', { timeout: 40_000 }, async () => {
    const behind = await proxy('hold', 'hold', 'hold', 'hold');
    const client = clientOf(behind.url);
    const { id } = await submit(client, sleepy(11_000, 20));
    const watched = watchJob(client, id);
    await until(() => expect(client.connection.get().phase).toBe('polling'));
    await toEnd(watched, 'completed', 20_000);
  });
});

describe.concurrent('a server', () => {
  it('may be killed in mid-stream and return', { timeout: 40_000 }, async () => {
    const own = await TroupeNode.start();
    try {
      const client = clientOf(own.url);
      const { id } = await submit(client, sleepy(2_500, 10));
      const watched = watchJob(client, id);
      await until(() => expect(watched.pcts.at(-1)).toBeGreaterThan(20));
      await own.kill();
      await until(() => expect(client.connection.get().phase).toBe('reconnecting'));
      expect(watched.ended).toEqual([]);
      await own.start();
      await toEnd(watched, 'completed', 25_000);
    } finally {
      await own.remove();
    }
  });

  it('may ask for tokens, and refuse old ones', async () => {
    const own = await TroupeNode.start('--token', 'a-secret-of-the-server');
    try {
      const bearer = { Authorization: 'Bearer a-secret-of-the-server', 'Content-Type': 'application/json' };
      const tokens: string[] = [];
      const server = clientOf(own.url, { getToken: () => 'a-secret-of-the-server' });
      const { id, stream } = await submit(server, sleepy(800, 4));
      const client = clientOf(own.url, {
        getToken: async ({ topics, refused }) => {
          if (!refused) return 'an old one';
          const answer = await fetch(`${own.url}/v1/stream-tokens`, { method: 'POST', headers: bearer, body: JSON.stringify({ topics }) });
          const { token } = (await answer.json()) as { token: string };
          tokens.push(token);
          return token;
        },
      });
      await toEnd(watchJob(client, id));
      expect(tokens).toHaveLength(1);
      const { token } = stream as { token?: string };
      await toEnd(watchJob(clientOf(own.url, { getToken: () => token ?? null }), id));
      const stranger = clientOf(own.url);
      watchJob(stranger, id);
      await until(() => expect(stranger.connection.get()).toMatchObject({ phase: 'closed', problem: { status: 401 } }));
    } finally {
      await own.remove();
    }
  });

  it('has one stream of two tabs, and no more when one of them dies', async () => {
    const locks = new Locks();
    const open = async () => {
      const behind = await proxy();
      const own = new Locks(locks);
      let dead = false;
      let stop = (): void => undefined;
      const client = clientOf(node.url, {
        fetch: (input, init) => (dead ? Promise.reject(new TypeError('dead')) : fetch(String(input).replace(node.url, behind.url), init)),
        link: acrossTabs({
          locks: own as unknown as LockManager,
          channel: (name) => {
            const channel = new BroadcastChannel(name);
            const post = channel.postMessage.bind(channel);
            channel.postMessage = (message: unknown) => void (dead || post(message));
            stop = () => channel.close();
            return channel;
          },
        }),
      });
      const die = () => {
        dead = true;
        stop();
        for (const leave of own.mine) leave();
      };
      gone.push(die);
      return { client, behind, die };
    };
    const first = await open();
    const second = await open();
    const { id } = await submit(second.client, sleepy(3_000, 12));
    const [seenByFirst, seenBySecond] = [watchJob(first.client, id), watchJob(second.client, id)];
    await until(() => expect(seenBySecond.pcts.at(-1)).toBeGreaterThan(10));
    await until(() => expect(seenByFirst.pcts.at(-1)).toBeGreaterThan(10));
    const streams = [first, second].map(({ behind }) => behind.streams);
    expect(Math.min(...streams)).toBe(0);
    const leader = streams[0] ? first : second;
    const [other, seen] = leader === first ? [second, seenBySecond] : [first, seenByFirst];
    leader.die();
    await toEnd(seen);
    expect(other.behind.streams).toBeGreaterThan(0);
  });
});
