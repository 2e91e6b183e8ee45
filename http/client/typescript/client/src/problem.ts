import { object, text } from './json.js';

/** Why a request or a stream was not served, from application/problem+json or from what there was instead. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    /** Of the answer; 0 if there was none. */
    readonly status: number,
    /** The server's name for it; "network" if there was no answer at all. */
    readonly code: string,
    /** The server's own sentence. Untrusted text: to be shown as text only. */
    message = code,
    /** What the server asked to wait. */
    readonly retryMs: number | null = null,
    /** The rest of what it said: title, detail, request_id, differs, errors. */
    readonly body: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export async function problemOf(answer: Response): Promise<Problem> {
  const body = object(await answer.json().catch(() => null));
  const code = text(body.code) || `http_${answer.status}`;
  return new Problem(answer.status, code, text(body.detail) || text(body.title) || code, retryAfter(answer.headers), body);
}

/** Whether an answer will not pass, as those of a deploy, a limit or a proxy do. */
export function refuses({ status }: Response): boolean {
  return status >= 400 && status < 500 && status !== 429 && status !== 408;
}

/** Milliseconds of a Retry-After header in seconds, as servers and proxies send it; a date is left to the backoff. */
export function retryAfter(headers: Headers): number | null {
  return Number(headers.get('Retry-After')) * 1_000 || null;
}
