import { act, StrictMode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StudioPage } from '../src/studio/StudioPage';
import { Studio } from '../src/studio/studio';
import { frame, hello, sse } from './jobs';
import { Server } from './server';

let server: Server;
let page: HTMLElement;
let root: Root;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  server = new Server();
  vi.stubGlobal('fetch', server.fetch);
  page = document.body.appendChild(document.createElement('div'));
  root = createRoot(page);
});

afterEach(async () => {
  await act(async () => root.unmount());
  await vi.advanceTimersByTimeAsync(5_000);
  page.remove();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const find = <E extends HTMLElement>(selector: string): E => {
  const found = page.querySelector<E>(selector);
  if (found === null) throw new Error(`no ${selector} in ${page.innerHTML}`);
  return found;
};
const button = (words: string): HTMLButtonElement => {
  const found = [...page.querySelectorAll('button')].find((one) => one.textContent?.includes(words));
  if (found === undefined) throw new Error(`no button ${words}`);
  return found;
};

async function open(...jobs: Record<string, unknown>[]): Promise<void> {
  const studio = new Studio();
  await act(async () =>
    root.render(
      <StrictMode>
        <StudioPage studio={studio} />
      </StrictMode>,
    ),
  );
  await pass(0);
  await say(hello() + jobs.map((job) => sse('job', job)).join('') + sse('ready', { jobs: jobs.length }));
}

async function say(text: string): Promise<void> {
  server.stream.write(text);
  await pass(0);
}

function type(words: string): void {
  const field = find<HTMLTextAreaElement>('textarea');
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set?.call(field, words);
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

const resource = (over: Record<string, unknown> = {}) => ({
  id: 'new',
  version: 1,
  status: 'queued',
  kind: 'video.generate',
  created_at: new Date().toISOString(),
  payload: { prompt: 'A boat' },
  ...over,
});

describe('the studio page', () => {
  it('makes one connection when it is mounted twice, and ends it some time after it is gone', async () => {
    await open();
    expect(server.streams).toHaveLength(1);
    expect(server.stream.open).toBe(true);
    await act(async () => root.unmount());
    await pass(999);
    expect(server.stream.aborted).toBe(false);
    await pass(60);
    expect(server.stream.aborted).toBe(true);
    root = createRoot(page);
  });

  it('says that the stage is empty only when the stream has said so', async () => {
    server.answer = () => new Promise(() => {});
    const studio = new Studio();
    await act(async () => root.render(<StudioPage studio={studio} />));
    await pass(0);
    expect(page.textContent).not.toContain('The stage is empty');
    await say(hello() + sse('ready', { jobs: 0 }));
    expect(page.textContent).toContain('The stage is empty');
  });

  it('orders once at a double click, shows the card at once and keeps one when the stream was faster', async () => {
    await open();
    let answer: (response: Response) => void = () => {};
    server.answer = (method) =>
      method === 'POST' ? new Promise((resolve) => (answer = resolve)) : Response.json({ jobs: [], next: null });
    await act(async () => type('A boat'));
    await act(async () => {
      button('Make video').click();
      button('Make video').click();
    });
    await pass(0);
    const orders = () => server.requests.filter(({ method }) => method === 'POST');
    expect(orders()).toHaveLength(1);
    expect(orders()[0]).toMatchObject({ path: '/v1/videos', body: { prompt: 'A boat', duration: 6 } });
    expect(page.querySelectorAll('.card')).toHaveLength(1);
    await say(sse('job', frame({ id: 'new', rev: 2, at: { created: new Date().toISOString() } })));
    expect(page.querySelectorAll('.card')).toHaveLength(1);
    const item = find('.cards > li');
    answer(Response.json(resource(), { status: 202 }));
    await pass(0);
    expect(page.querySelectorAll('.card')).toHaveLength(1);
    expect(find('.cards > li')).toBe(item);
    expect(find('.card').dataset.status).toBe('processing'); // the older answer did not undo the stream's state
    expect(find('.prompt').textContent).toBe('A boat');
    expect(find<HTMLTextAreaElement>('textarea').value).toBe('');
  });

  it('sends an order again under the same key after a failure, and a changed one under another', async () => {
    await open();
    const failure = { status: 503, headers: { 'Retry-After': '12', 'Content-Type': 'application/problem+json' } };
    server.answer = (method) => (method === 'POST' ? Response.json({ code: 'full' }, failure) : Response.json([]));
    for (const words of ['A boat', 'A boat', 'A ship']) {
      await act(async () => type(words));
      await act(async () => button('Make video').click());
      await pass(0);
    }
    const keys = server.requests.filter(({ method }) => method === 'POST').map(({ key }) => key);
    expect(keys[0]).toBeTruthy();
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
    expect(find('.composer .error').textContent).toContain('try again in 12 s');
    expect(find<HTMLTextAreaElement>('textarea').value).toBe('A ship');
    expect(page.querySelectorAll('.card')).toHaveLength(0);
  });

  it('names the field that a 422 names', async () => {
    await open();
    server.answer = () => Response.json({ code: 'invalid', detail: 'imageUrl: want an https URL' }, { status: 422 });
    await act(async () => type('A boat'));
    await act(async () => button('Make video').click());
    await pass(0);
    expect(find('.composer .error').textContent).toBe('Image: want an https URL.');
    expect(find('input[name=imageUrl]').getAttribute('aria-invalid')).toBe('true');
  });

  it('renders hostile text as text', async () => {
    const message = '<img src=x onerror=alert(1)>';
    await open(frame({ status: 'failed', error: { code: 'error', message, fingerprint: '' } }));
    expect(page.querySelector('img')).toBeNull();
    expect(find('.reason p').textContent).toBe(message);
  });

  it('announces each end once, and none that was over before', async () => {
    await open(frame({ id: 'past', status: 'completed' }), frame({ id: 'j1' }));
    const region = find('[role=status]');
    await pass(6_000);
    expect(region.textContent).toBe('');
    await say(sse('job', frame({ rev: 1_000_002, status: 'completed' })));
    expect(region.textContent).toContain('Video ready');
    await pass(6_000);
    await say(sse('job', frame({ rev: 1_000_003, status: 'completed' })));
    expect(region.textContent).toBe('');
  });

  it('cancels after the time for second thoughts, keeps the focus, and can be stopped from it', async () => {
    await open(frame());
    const cancels = () => server.requests.filter(({ path }) => path.endsWith('/cancel'));
    const cancel = button('Cancel');
    cancel.focus();
    await act(async () => cancel.click());
    expect(document.activeElement?.textContent).toContain('Undo');
    await act(async () => button('Undo').click());
    await pass(6_000);
    expect(cancels()).toHaveLength(0);
    await act(async () => button('Cancel').click());
    await pass(5_000);
    expect(cancels()).toHaveLength(1);
  });

  it('tells a new stream what it has, and hears of the end that it missed', async () => {
    await open(frame());
    server.stream.cut();
    await pass(2_000);
    expect(server.stream.body).toMatchObject({ topics: ['owner:me'], known: { j1: 1_000_001 } });
    await say(hello() + sse('job', frame({ rev: 9_000_000, status: 'completed', terminal: true })) + sse('ready', {}));
    expect(find('.card').dataset.status).toBe('completed');
  });

  it('polls its live jobs when the stream is mute', async () => {
    await open(frame());
    server.stream.cut();
    await pass(1_500); // the next attempt stays without a byte
    server.requests.length = 0;
    server.answer = () => Response.json({ jobs: [resource({ id: 'j1', version: 9_000_000, status: 'failed' })] });
    await pass(14_000);
    expect(server.requests.map(({ path }) => path)).toContain('/v1/jobs?ids=j1');
    expect(find('.card').dataset.status).toBe('failed');
    expect(find('.connection').dataset.phase).toBe('polling');
  });

  it('shows the way in when it is not known, and goes on after', async () => {
    server.refusals.push(new Response('', { status: 401 }));
    const studio = new Studio();
    await act(async () => root.render(<StudioPage studio={studio} />));
    await pass(0);
    expect(find('.sign-in')).toBeTruthy();
    server.answer = () => Response.json({});
    await act(() => studio.signIn('secret'));
    await pass(0);
    await say(hello() + sse('ready', { jobs: 0 }));
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/v1/session', body: { token: 'secret' } });
    expect(page.querySelector('.sign-in')).toBeNull();
  });

  it('tells in the title of the tab how far all jobs are', async () => {
    await open(frame({ id: 'a', progress: { pct: 20 } }), frame({ id: 'b', progress: { pct: 62 } }));
    expect(document.title).toBe('(41 %) Troupe');
    await say(
      sse('removed', { id: 'a', rev: 9e15, reason: 'purged' }) +
        sse('removed', { id: 'b', rev: 9e15, reason: 'purged' }),
    );
    expect(document.title).toBe('Troupe');
  });
});
