import type { Actor } from './nodes';

/** A line of the tree as it is drawn. */
export interface Row {
  actor: Actor;
  /** From 1. */
  level: number;
  /** null: it has nobody under it. */
  open: boolean | null;
  position: number;
  siblings: number;
}

/** Messages that wait: from here on a mailbox is hot. */
export const hot = 100;

const quietMs = 30_000;

/** States that a person should look at. */
const troubled = new Set(['stalled', 'silent', 'overdue', 'lost']);

export function isTroubled(actor: Actor): boolean {
  return troubled.has(actor.state);
}

/** A job that has said nothing for long: at work, or stuck. */
export function isQuiet({ kind, lastMs }: Actor): boolean {
  return kind === 'job' && (lastMs ?? 0) > quietMs;
}

export function toneOf({ state }: Actor): 'plain' | 'good' | 'warm' | 'bad' {
  if (troubled.has(state)) return 'bad';
  if (state === 'paused' || state === 'cancelling' || state === 'ending' || state === 'draining') return 'warm';
  return state === 'busy' ? 'good' : 'plain';
}

function hasTrouble(actor: Actor): boolean {
  return isTroubled(actor) || actor.children.some(hasTrouble);
}

/** How much an actor needs to be looked at, with all under it. */
function heat(actor: Actor): number {
  const waiting = actor.mailbox ?? 0;
  const quiet = isQuiet(actor) ? (actor.lastMs ?? 0) / 1_000 : 0;
  const own = actor.restarts * 1e5 + (waiting >= hot ? waiting : 0) + quiet;
  return hasTrouble(actor) ? own + 1e9 : own;
}

/** What is open until a person says otherwise: all but jobs whose attempts just run. */
function opensItself(actor: Actor): boolean {
  return actor.kind !== 'job' || actor.children.some(({ state }) => state !== 'running');
}

/** The lines of a tree: the hottest first, those that fit the words, and those above them. `turned` are those that were opened or closed. */
export function rowsOf(root: Actor, turned: ReadonlySet<string>, words: string): Row[] {
  const wanted = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const rows: Row[] = [];
  walk(fitting(root, wanted) ?? { ...root, children: [] }, 1, 1, 1);
  return rows;

  function walk(actor: Actor, level: number, position: number, siblings: number): void {
    const open = actor.children.length === 0 ? null : opensItself(actor) !== turned.has(actor.path);
    rows.push({ actor, level, open, position, siblings });
    if (open !== true) return;
    const children = [...actor.children].sort((a, b) => heat(b) - heat(a) || Number(a.kind === 'supervisor') - Number(b.kind === 'supervisor'));
    for (const [i, child] of children.entries()) walk(child, level + 1, i + 1, children.length);
  }
}

function fitting(actor: Actor, words: readonly string[]): Actor | null {
  const own = `${actor.name} ${actor.kind} ${actor.state} ${actor.jobKind} ${actor.queue}`.toLowerCase();
  if (words.every((word) => own.includes(word))) return actor;
  const children = actor.children.flatMap((child) => fitting(child, words) ?? []);
  return children.length > 0 ? { ...actor, children } : null;
}

/** Messages a second since the look before, by path. */
export function ratesOf(was: Map<string, { at: number; processed: number }>, root: Actor, at: number): Map<string, number> {
  const rates = new Map<string, number>();
  const visit = (actor: Actor) => {
    const before = was.get(actor.path);
    if (actor.processed !== null && before !== undefined && at > before.at && actor.processed >= before.processed)
      rates.set(actor.path, ((actor.processed - before.processed) * 1_000) / (at - before.at));
    if (actor.processed !== null) was.set(actor.path, { at, processed: actor.processed });
    actor.children.forEach(visit);
  };
  visit(root);
  return rates;
}
