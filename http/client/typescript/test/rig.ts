/** The other end of fetch: streams that a test writes to and cuts, and answers that it chooses. */
export interface StreamBody {
  topics: string[];
  known: Record<string, number>;
  since?: string;
}

export class Stream {
  aborted = false;
  readonly body: StreamBody;
  readonly token: string | null;
  readonly path: string;
  readonly response: Response;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(path: string, init: RequestInit) {
    this.path = path;
    this.body = typeof init.body === 'string' ? JSON.parse(init.body) : { topics: [], known: {} };
    this.token = new Headers(init.headers).get('Authorization');
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    init.signal?.addEventListener('abort', () => {
      this.aborted = true;
      this.cut();
    });
    this.response = new Response(body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } });
  }

  get open(): boolean {
    return this.#controller !== undefined;
  }

  write(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }

  /** The network is gone. */
  cut(): void {
    this.#controller?.error(new TypeError('network error'));
    this.#controller = undefined;
  }

  /** The server has ended the answer, as it or a proxy may at any time. */
  close(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }
}

export interface Asked {
  method: string;
  path: string;
  headers: Headers;
  body: unknown;
}

export class Server {
  readonly streams: Stream[] = [];
  readonly asked: Asked[] = [];
  /** Answers instead of a stream, first come first. */
  readonly refusals: (Response | 'no network' | 'mute')[] = [];
  answer: (asked: Asked) => Response | Promise<Response> = () => Response.json({ jobs: [] });

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const path = String(input);
    init.signal?.throwIfAborted();
    if (path.endsWith('/v1/stream') || path.includes('follow=1')) {
      const refusal = this.refusals.shift();
      if (refusal === 'no network') throw new TypeError('no network');
      if (refusal === 'mute') return new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
      if (refusal) return refusal;
      const stream = new Stream(path, init);
      this.streams.push(stream);
      return stream.response;
    }
    const asked: Asked = {
      method: init.method ?? 'GET',
      path,
      headers: new Headers(init.headers),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : null,
    };
    this.asked.push(asked);
    return this.answer(asked);
  };

  get stream(): Stream {
    const last = this.streams.at(-1);
    if (last === undefined) throw new Error('nothing has connected');
    return last;
  }

  /** Streams that are open at this moment. */
  get open(): Stream[] {
    return this.streams.filter((stream) => stream.open);
  }
}

/** A job in the form of the stream. */
export function frame(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'j1',
    rev: 1_000_001,
    run: 1,
    status: 'processing',
    terminal: false,
    kind: 'video.generate',
    queue: 'video',
    owner: 'u1',
    batch: null,
    attempt: { n: 1, max: 3, started_at: null, next_at: null },
    progress: { pct: 40, stage: 'render', stage_i: 3, stage_n: 5, note: '', eta_ms: 30_000 },
    error: null,
    artifacts: [],
    waiting: null,
    at: { created: '2026-11-01T10:00:00Z', updated: '2026-11-01T10:00:05Z', finished: null },
    ...over,
  };
}

/** A job in the form of a REST answer. */
export function view(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'j1',
    version: 1_000_001,
    run: 1,
    status: 'processing',
    terminal: false,
    kind: 'video.generate',
    queue: 'video',
    owner: 'u1',
    priority: 1,
    crashes: 0,
    attempt: 1,
    max_attempts: 3,
    progress: 40,
    stage: 'render',
    stage_i: 3,
    stage_n: 5,
    eta_ms: 30_000,
    created_at: '2026-11-01T10:00:00Z',
    updated_at: '2026-11-01T10:00:05Z',
    ...over,
  };
}

export const done = (over: Record<string, unknown> = {}): Record<string, unknown> =>
  frame({ rev: 1_000_009, status: 'completed', terminal: true, progress: { pct: 100 }, ...over });

export function sse(event: string, data: unknown, id = ''): string {
  return `${id && `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const hello = (over: Record<string, unknown> = {}): string =>
  sse('hello', { proto: 1, mode: 'snapshot', hb_ms: 15_000, now: new Date().toISOString(), ...over }, 'e-0');

export const ready = (id = 'e-7'): string => sse('ready', { jobs: 0, cursor: id }, id);

export const problem = (status: number, code: string, headers: Record<string, string> = {}): Response =>
  Response.json({ type: 'about:blank', title: code, status, code }, { status, headers });
