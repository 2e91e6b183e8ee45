import { number, object, text, textOrNull } from '../json';

/** Why a request was not served, from application/problem+json or from what there was instead. */
export class Problem extends Error {
  readonly status: number;
  /** The server's name for it; "network" if there was no answer at all. */
  readonly code: string;
  /** The field of the request that is at fault, if the server named one. */
  readonly field: string | null;
  /** The server's own sentence. Untrusted text: to be shown as text only. */
  readonly detail: string;
  readonly retryMs: number | null;

  constructor(of: { status: number; code: string; field?: string | null; detail?: string; retryMs?: number | null }) {
    super(of.detail || of.code);
    this.status = of.status;
    this.code = of.code;
    this.field = of.field ?? null;
    this.detail = of.detail ?? '';
    this.retryMs = of.retryMs ?? null;
  }
}

/** The server begins the detail of a refused body with the field's name: "prompt: has 2400 characters, at most 2000". */
const fieldFirst = /^([A-Za-z_][\w.]*): (.+)$/s;

export async function problemOf(answer: Response): Promise<Problem> {
  const body = object(await answer.json().catch(() => null));
  const whole = text(body.detail) || text(body.title);
  const named = answer.status === 422 ? fieldFirst.exec(whole) : null;
  return new Problem({
    status: answer.status,
    code: text(body.code) || `http_${number(answer.status)}`,
    field: textOrNull(body.field) ?? named?.[1] ?? null,
    detail: named?.[2] ?? whole,
    retryMs: retryAfter(answer.headers),
  });
}

/** Milliseconds of a Retry-After header, in either of its forms. */
function retryAfter(headers: Headers): number | null {
  const value = headers.get('Retry-After');
  if (value === null || value === '') return null;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
