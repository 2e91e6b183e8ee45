import { served } from '../base';
import { Problem, problemOf } from './problem';

/** What one request may take. The server gives up on its own side before that. */
const timeoutMs = 30_000;

export interface Request {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Let the request outlive the page. */
  keepalive?: boolean;
}

/** Sends a request to the server of this page. Rejects with a Problem, and with nothing else, unless it was aborted. */
export async function send(path: string, request: Request = {}): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const init: RequestInit = {
    method: request.method ?? 'GET',
    headers: { Accept: 'application/json', ...request.headers },
    credentials: 'same-origin',
    signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
    keepalive: request.keepalive === true,
  };
  if (request.body !== undefined) {
    init.body = JSON.stringify(request.body);
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
  }
  const answer = await fetch(served(path), init).catch((cause: unknown) => {
    if (request.signal?.aborted) throw cause;
    throw new Problem({ status: 0, code: 'network' });
  });
  if (!answer.ok && answer.status !== 304) throw await problemOf(answer);
  return answer;
}

export async function sendForJson(path: string, request: Request = {}): Promise<unknown> {
  const answer = await send(path, request);
  return answer.json().catch(() => null);
}
