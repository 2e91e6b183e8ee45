import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { acrossTabs } from '../../client/src/tabs.js';
import { connect, type Job, type Troupe } from '../../client/src/index.js';
import { Locks } from '../locks.js';
import { done, frame, hello, problem, ready, Server, sse } from '../rig.js';

interface Tab {
  client: Troupe;
  server: Server;
  ended: Job[];
  /** The tab is gone without a word. */
  die(): void;
  /** Nothing runs in it any more, but it keeps its locks. */
  hang(): void;
}

let locks: Locks;
let name: string;
const tabs: Tab[] = [];
const forgets: (() => void)[] = [];

function openTab(): Tab {
  const server = new Server();
  const own = new Locks(locks);
  let dead = false;
  let channel: BroadcastChannel | undefined;
  const hang = () => {
    dead = true;
    channel?.close();
    for (const stream of server.open) stream.cut();
  };
  const tab: Tab = {
    server,
    ended: [],
    hang,
    die: () => {
      hang();
      for (const leave of own.mine) leave();
    },
    client: connect({
      fetch: (input, init) => (dead ? Promise.reject(new TypeError('dead')) : server.fetch(input, init)),
      link: acrossTabs({
        name,
        locks: own as unknown as LockManager,
        channel: (called) => {
          channel = new BroadcastChannel(called);
          const post = channel.postMessage.bind(channel);
          channel.postMessage = (message: unknown) => void (dead || post(message));
          return channel;
        },
      }),
    }),
  };
  tabs.push(tab);
  return tab;
}

const watchJob = (tab: Tab, id: string) => forgets.push(tab.client.watchJob(id, { onComplete: (job) => tab.ended.push(job) }));
const until = (check: () => void) => vi.waitFor(check, { timeout: 5_000, interval: 5 });
const connections = () => tabs.flatMap(({ server }) => server.open);
const phase = (tab: Tab) => tab.client.connection.get().phase;

beforeEach(() => {
  locks = new Locks();
  name = crypto.randomUUID();
});

afterEach(async () => {
  for (const forget of forgets.splice(0)) forget();
  for (const tab of tabs.splice(0)) tab.die();
  vi.useRealTimers();
});

async function twoTabs(): Promise<[Tab, Tab]> {
  const first = openTab();
  watchJob(first, 'j1');
  await until(() => expect(first.server.open).toHaveLength(1));
  first.server.stream.write(hello() + sse('job', frame({ id: 'j1' })) + ready());
  await until(() => expect(phase(first)).toBe('live'));
  const second = openTab();
  watchJob(second, 'j1');
  watchJob(second, 'j2');
  await until(() => expect(first.server.stream.body.topics).toEqual(['job:j1', 'job:j2']));
  first.server.stream.write(hello() + sse('job', frame({ id: 'j2' })) + ready());
  await until(() => expect(second.client.connection.get().covered).toEqual(['job:j1', 'job:j2']));
  return [first, second];
}

describe('tabs', () => {
  it('share one connection, and each hears of its own topics only', async () => {
    const [first, second] = await twoTabs();
    expect(connections()).toHaveLength(1);
    expect(second.client.jobs.get('j1')?.status).toBe('processing');
    expect(second.client.jobs.get('j2')?.status).toBe('processing');
    expect(first.client.connection.get().covered).toEqual(['job:j1']);
    first.server.stream.write(sse('job', done({ id: 'j2' })) + sse('job', frame({ id: 'j3' })));
    await until(() => expect(second.ended.map(({ id }) => id)).toEqual(['j2']));
    expect(second.client.jobs.get('j3')).toBeUndefined();
  });

  it.each(['die', 'leave'])('go on when the one that leads does %s', async (how) => {
    const [first, second] = await twoTabs();
    if (how === 'die') first.die();
    else forgets.splice(0, 1).forEach((forget) => forget());
    await until(() => expect(second.server.open).toHaveLength(1));
    expect(second.server.stream.body).toEqual({ topics: ['job:j1', 'job:j2'], known: { j1: 1_000_001, j2: 1_000_001 } });
    expect(connections()).toHaveLength(1);
    second.server.stream.write(hello() + sse('job', done({ id: 'j2' })) + ready() + sse('job', done({ id: 'j1' })));
    await until(() => expect(second.ended.map(({ id }) => id)).toEqual(['j2', 'j1']));
    const third = openTab();
    watchJob(third, 'j2');
    await until(() => expect(third.ended).toHaveLength(1));
    expect(connections()).toHaveLength(1);
  });

  it('lose no event when the lead changes in the middle of a burst', async () => {
    const [first, second] = await twoTabs();
    const third = openTab();
    watchJob(third, 'j2');
    await until(() => expect(third.client.jobs.get('j2')).toBeDefined());
    for (let rev = 2; rev < 40; rev++) first.server.stream.write(sse('job', frame({ id: 'j2', rev: 1_000_000 + rev })));
    first.die();
    await until(() => expect(connections()).toHaveLength(1));
    const [leader] = [second, third].filter(({ server }) => server.open.length > 0);
    const body = leader?.server.stream.body;
    const known = body?.known.j2 ?? 0;
    // The server sends what is newer than what the new leader knows, and the leader tells who knows less.
    leader?.server.stream.write(hello() + (known < 1_000_039 ? sse('job', frame({ id: 'j2', rev: 1_000_039 })) : '') + ready());
    await until(() => expect([second, third].map((tab) => tab.client.jobs.get('j2')?.rev)).toEqual([1_000_039, 1_000_039]));
  });

  it('forget what a tab wanted that is gone', async () => {
    const [first, second] = await twoTabs();
    second.die();
    await until(() => expect(first.server.stream.body.topics).toEqual(['job:j1']));
  });

  it('take the lead from one that hangs', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
    const [first, second] = await twoTabs();
    first.hang();
    for (let passed = 0; passed < 60 && second.server.open.length === 0; passed += 10) {
      vi.advanceTimersByTime(10_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(second.server.open).toHaveLength(1);
  });

  it('are told why the server refuses', async () => {
    const first = openTab();
    first.server.refusals.push(problem(403, 'forbidden'), problem(403, 'forbidden'));
    watchJob(first, 'j1');
    const second = openTab();
    watchJob(second, 'j1');
    await until(() => expect(second.client.connection.get()).toMatchObject({ phase: 'closed', problem: { status: 403, code: 'forbidden' } }));
  });

  it('connect alone when together they want too much', async () => {
    const [first] = await twoTabs();
    const third = openTab();
    for (let i = 0; i < 499; i++) watchJob(third, `x${i}`);
    await until(() => expect(third.server.open).toHaveLength(1));
    expect(third.server.stream.body.topics).toHaveLength(499);
    expect(first.server.open).toHaveLength(1);
  });

  it('connect by themselves where there are no locks', async () => {
    const server = new Server();
    const client = connect({ fetch: server.fetch, link: acrossTabs({ locks: undefined as unknown as LockManager }) });
    forgets.push(client.watchJob('j1', {}));
    await until(() => expect(server.open).toHaveLength(1));
  });
});
