import { connect, type Troupe } from '@troupe/client';
import { type JobStream, type Submit, TroupeProvider, useJobLogs, useJobOutput, useJobs, useJobStream, useSubmit } from '@troupe/react';
import { act, StrictMode, type ReactNode, version } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { done, frame, hello, problem, ready, Server, sse, view } from '../rig.js';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let server: Server;
let client: Troupe;
let root: Root;
let place: HTMLElement;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  client = connect({ fetch: server.fetch });
  place = document.createElement('div');
  root = createRoot(place);
});

afterEach(async () => {
  act(() => root.unmount());
  await pass(2_000);
  expect(server.open).toHaveLength(0);
  vi.useRealTimers();
});

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const mount = (children: ReactNode) =>
  act(() =>
    root.render(
      <StrictMode>
        <TroupeProvider client={client}>{children}</TroupeProvider>
      </StrictMode>,
    ),
  );

const renders = new Map<string, number>();
let last: JobStream;
const ended = vi.fn();
const moved = vi.fn();

function Card({ id }: { id: string | null }) {
  const stream = useJobStream(id, { onComplete: (job) => ended(job.id, job.run, job.status), onProgress: (job) => moved(job.progress.pct) });
  last = stream;
  renders.set(id ?? '', (renders.get(id ?? '') ?? 0) + 1);
  return (
    <p>
      {id} {stream.status ?? 'unknown'} {stream.progress?.pct} {stream.connection} {stream.isStale ? 'stale' : ''} {stream.error?.code}
    </p>
  );
}

beforeEach(() => {
  renders.clear();
  ended.mockClear();
  moved.mockClear();
});

it('is tested with the React that it says', () => expect(version.split('.')[0]).toBe(process.env.REACT ?? '19'));

describe('useJobStream', () => {
  it('makes one connection for all cards, also when mounted twice', async () => {
    mount(['a', 'b', 'c'].map((id) => <Card key={id} id={id} />));
    await pass(0);
    expect(server.streams).toHaveLength(1);
    expect(server.stream.body.topics).toEqual(['job:a', 'job:b', 'job:c']);
    expect(place.textContent).toContain('a unknown');
    server.stream.write(hello() + ['a', 'b', 'c'].map((id) => sse('job', frame({ id }))).join('') + ready());
    await pass(50);
    expect(place.textContent).toContain('b processing 40 live');
    expect(server.streams).toHaveLength(1);
  });

  it('doubts the stream when the browser is offline, and tries at once when it is back', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.9);
    mount(<Card id="a" />);
    await pass(0);
    server.stream.write(hello() + sse('job', frame({ id: 'a' })) + ready());
    await pass(50);
    act(() => void dispatchEvent(new Event('offline')));
    await pass(950);
    expect(last.connection).toBe('live');
    await pass(100);
    expect(last.connection).toBe('reconnecting');
    server.stream.cut();
    await pass(4_000);
    server.stream.cut();
    await pass(1_500); // the next try is due after 1.85 s
    const before = server.streams.length;
    act(() => void dispatchEvent(new Event('online')));
    await pass(1);
    expect(server.streams).toHaveLength(before + 1);
  });

  it('renders one card for a tick, and once for a frame', async () => {
    mount(['a', 'b'].map((id) => <Card key={id} id={id} />));
    await pass(0);
    server.stream.write(hello() + sse('job', frame({ id: 'a' })) + sse('job', frame({ id: 'b' })) + ready());
    await pass(50);
    renders.clear();
    for (let pct = 50; pct < 60; pct++) {
      server.stream.write(sse('job', frame({ id: 'a', rev: 1_000_000 + pct, progress: { pct } })));
      await act(() => Promise.resolve());
    }
    await pass(50);
    expect(place.textContent).toContain('a processing 59');
    expect([...renders]).toEqual([['a', 2]]); // StrictMode renders twice
    expect(moved).toHaveBeenLastCalledWith(59);
    expect(moved.mock.calls.length).toBeGreaterThan(2); // who wants every state gets it
  });

  it('completes once for each run, through StrictMode, lost connections and remounts', async () => {
    mount(<Card id="a" />);
    await pass(0);
    server.stream.write(hello() + sse('job', frame({ id: 'a' })) + ready());
    await pass(50);
    server.stream.close();
    await pass(10_000);
    expect(ended).not.toHaveBeenCalled();
    server.stream.write(hello() + sse('job', done({ id: 'a' })) + ready() + sse('end', { reason: 'done' }));
    await pass(50);
    expect(ended.mock.calls).toEqual([['a', 1, 'completed']]);
    expect(place.textContent).toContain('a completed 100 closed');
    expect(last.isStale).toBe(false);
    server.answer = () => Response.json(view({ id: 'a', version: 9_000_000, run: 2, status: 'queued', terminal: false }));
    await act(async () => expect(await last.retry()).toBeNull());
    await pass(100);
    server.stream.write(hello() + sse('job', done({ id: 'a', rev: 9_000_005, run: 2, status: 'failed', error: { code: 'boom', message: 'm' } })) + ready());
    await pass(50);
    expect(ended.mock.calls).toEqual([
      ['a', 1, 'completed'],
      ['a', 2, 'failed'],
    ]);
    expect(last.error?.code).toBe('boom');
  });

  it('says when it is stale, missing or refused', async () => {
    server.answer = () => Response.json({ jobs: [], missing: ['b'] });
    mount(['a', 'b'].map((id) => <Card key={id} id={id} />));
    await pass(0);
    server.stream.write(hello() + sse('job', frame({ id: 'a' })) + ready());
    await pass(1_100);
    expect(place.textContent).toContain('b unknown  live  not_found');
    server.stream.cut();
    await pass(20);
    expect(place.textContent).toContain('a processing 40 reconnecting stale');
    server.answer = () => problem(409, 'already_ended');
    await act(async () => expect(await last.cancel()).toMatchObject({ code: 'already_ended' }));
    expect(last.error?.code).toBe('already_ended');
  });

  it('follows the id that it is given, and nothing without one', async () => {
    mount(<Card id={null} />);
    await pass(50);
    expect(server.streams).toHaveLength(0);
    mount(<Card id="a" />);
    await pass(0);
    server.stream.write(hello() + sse('job', frame({ id: 'a' })) + ready());
    await pass(50);
    mount(<Card id="b" />);
    await pass(100);
    expect(place.textContent).toContain('b unknown');
    expect(server.stream.body.topics).toContain('job:b');
  });
});

describe('useJobs', () => {
  function Wall() {
    const { jobs, ready: all } = useJobs({ topic: 'queue:video', where: (job) => !job.terminal });
    return <p>{all ? jobs.map((job) => job.id).join(' ') || 'nothing' : 'loading'}</p>;
  }

  it('shows the jobs of a topic once it knows them', async () => {
    mount(<Wall />);
    await pass(0);
    expect(place.textContent).toBe('loading');
    server.stream.write(hello() + ready());
    await pass(50);
    expect(place.textContent).toBe('nothing');
    server.stream.write(sse('job', frame({ id: 'a' })) + sse('job', frame({ id: 'b', queue: 'mail' })));
    await pass(50);
    expect(place.textContent).toBe('a');
    server.stream.write(sse('job', done({ id: 'a' })));
    await pass(50);
    expect(place.textContent).toBe('nothing');
  });
});

describe('useSubmit', () => {
  let form: Submit;
  function Form() {
    form = useSubmit();
    return <p>{form.pending ? 'pending' : (form.error?.code ?? form.job?.id ?? 'new')}</p>;
  }
  const keys = () => server.asked.map(({ headers }) => headers.get('Idempotency-Key'));

  it('has one key for a click, a double click and another try, and a new one after success', async () => {
    server.answer = () => problem(422, 'invalid');
    mount(<Form />);
    const body = { kind: 'sample.noop', payload: 1 };
    await act(async () => expect(await Promise.all([form.submit(body), form.submit(body)])).toEqual([null, null]));
    expect(place.textContent).toBe('invalid');
    expect(keys()).toHaveLength(1);
    server.answer = () => Response.json({ ...view({ id: 'a' }), stream: { url: 'x' } }, { status: 202 });
    await act(async () => expect(await form.submit(body)).toMatchObject({ id: 'a' }));
    expect(place.textContent).toBe('a');
    expect(new Set(keys()).size).toBe(1);
    await act(async () => void (await form.submit(body)));
    expect(new Set(keys()).size).toBe(2);
    await act(async () => void (await form.submitVideo({ prompt: 'a kite' })));
    expect(new Set(keys()).size).toBe(3);
    act(() => form.reset());
    expect(place.textContent).toBe('new');
  });
});

describe('useJobLogs and useJobOutput', () => {
  function Lines() {
    const { lines, truncated, done: all } = useJobLogs('a', { max: 2 });
    return <p>{`${lines.map(({ text }) => text).join('|')} ${truncated} ${all}`}</p>;
  }
  function Output() {
    const { text, error } = useJobOutput('a');
    return <p>{error?.code ?? text}</p>;
  }

  it('follow with one connection, bounded', async () => {
    mount(<Lines />);
    await pass(10);
    expect(server.streams).toHaveLength(1);
    const line = (seq: number) => sse('log', { seq, text: `l${seq}` }, String(seq));
    server.stream.write(hello() + line(1) + line(2) + line(3));
    await pass(50);
    expect(place.textContent).toBe('l2|l3 true false');
    server.stream.write(sse('end', { reason: 'done' }));
    await pass(50);
    expect(place.textContent).toBe('l2|l3 true true');
    server.stream.close();
  });

  it('put output together, and say what went wrong', async () => {
    mount(<Output />);
    await pass(10);
    const chunk = (seq: number, data: string) => sse('chunk', { seq, attempt: 1, data }, String(seq));
    server.stream.write(hello() + chunk(1, 'a ') + chunk(2, 'story'));
    await pass(50);
    expect(place.textContent).toBe('a story');
    server.refusals.push(problem(403, 'forbidden'));
    server.stream.cut();
    await pass(2_000);
    expect(place.textContent).toBe('forbidden');
  });
});

describe('on a server', () => {
  it('renders without connecting', () => {
    const html = renderToString(
      <TroupeProvider client={client}>
        <Card id="a" />
      </TroupeProvider>,
    );
    expect(html).toContain('unknown');
    expect(server.streams).toHaveLength(0);
  });

  it('says what is missing without a provider', () => {
    expect(() => renderToString(<Card id="a" />)).toThrow('TroupeProvider');
  });
});

describe('TroupeProvider', () => {
  it('reads the newest getToken, and connects by itself', async () => {
    vi.stubGlobal('fetch', server.fetch);
    const app = (token: string) => (
      <TroupeProvider baseUrl="https://jobs.example" getToken={() => token} shareAcrossTabs>
        <Card id="a" />
      </TroupeProvider>
    );
    act(() => root.render(app('old')));
    act(() => root.render(app('new')));
    await pass(100);
    expect(server.stream.path).toBe('https://jobs.example/v1/stream');
    expect(server.stream.token).toBe('Bearer new');
    vi.unstubAllGlobals();
  });
});
