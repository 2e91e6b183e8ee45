import { Stream } from '../../client/typescript/test/rig';

/** The other end of fetch: streams that a test writes to and cuts, and answers that it chooses. */
export class Server {
  readonly streams: Stream[] = [];
  readonly requests: { method: string; path: string; key: string | null; body: unknown }[] = [];
  /** Answers instead of a stream, first come first. */
  readonly refusals: Response[] = [];
  answer: (method: string, path: string) => Response | Promise<Response> = () =>
    Response.json({ jobs: [], next: null });

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const path = String(input);
    if (path.startsWith('/v1/stream')) {
      const refusal = this.refusals.shift();
      if (refusal) return refusal;
      const stream = new Stream(path, init);
      this.streams.push(stream);
      return stream.response;
    }
    const method = init.method ?? 'GET';
    const key = new Headers(init.headers).get('Idempotency-Key');
    this.requests.push({ method, path, key, body: typeof init.body === 'string' ? JSON.parse(init.body) : null });
    return this.answer(method, path);
  };

  get stream(): Stream {
    const last = this.streams.at(-1);
    if (last === undefined) throw new Error('nothing has connected');
    return last;
  }
}
