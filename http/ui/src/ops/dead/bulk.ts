import { isObject, number, numberOrNull, object, text } from '../../json';
import { sendForJson } from '../ask';
import { type DeadJob, decodeLetter } from './groups';

/** What is done to many dead letters at once. */
export type Verb = 'redrive' | 'delete';

/** Whom it concerns: parameters of the list. None is everybody, which the server wants to be told. */
export type Whom = Record<string, string>;

export interface Count {
  matched: number;
  /** There are at least this many. */
  capped: boolean;
  sample: DeadJob[];
}

export interface Step {
  done: number;
  /** Ask again for the rest. */
  more: boolean;
}

/** Counts, and does nothing. */
export async function dryRun(verb: Verb, whom: Whom): Promise<Count> {
  const answer = object(await ask(verb, whom, true));
  const sample = Array.isArray(answer.sample) ? answer.sample.filter(isObject) : [];
  const ids = Array.isArray(answer.ids) ? answer.ids.map((id) => ({ id })) : [];
  return {
    matched: number(answer.matched),
    capped: answer.capped === true,
    sample: (sample.length > 0 ? sample : ids).slice(0, 5).map((one) => decodeLetter({ ...one, id: text(one.id) })),
  };
}

/** Does as much as the server does in one go. */
export async function step(verb: Verb, whom: Whom): Promise<Step> {
  const answer = object(await ask(verb, whom, false));
  const done = numberOrNull(verb === 'redrive' ? answer.redriven : answer.deleted) ?? number(answer.matched);
  return { done, more: answer.more === true };
}

function ask(verb: Verb, whom: Whom, dry: boolean): Promise<unknown> {
  const filter = Object.fromEntries(Object.entries(whom).filter(([, value]) => value !== ''));
  const body = { ...(Object.keys(filter).length > 0 ? filter : { all: true }), ...(dry && { dry_run: true }) };
  return verb === 'redrive'
    ? sendForJson('/v1/dead/redrive', { method: 'POST', body })
    : sendForJson('/v1/dead', { method: 'DELETE', body });
}
