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

/** States that a person should look at. */
const troubled = new Set(['stalled', 'silent', 'overdue', 'lost']);

export function isTroubled(actor: Actor): boolean {
  return troubled.has(actor.state);
}

export function toneOf({ state }: Actor): 'plain' | 'good' | 'warm' | 'bad' {
  if (troubled.has(state)) return 'bad';
  if (state === 'paused' || state === 'cancelling' || state === 'ending' || state === 'draining') return 'warm';
  return state === 'running' || state === 'busy' ? 'good' : 'plain';
}

/** How much an actor needs to be looked at, with all under it. */
function heat(actor: Actor): number {
  const own = (isTroubled(actor) ? 1e9 : 0) + actor.restarts * 1e4 + (actor.mailbox ?? 0);
  return Math.max(own, ...actor.children.map((child) => (isTroubled(child) ? 1e9 : 0)));
}

/** The lines of a tree: the hottest first, those that fit the words, and those above them. */
export function rowsOf(root: Actor, closed: ReadonlySet<string>, words: string): Row[] {
  const wanted = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const rows: Row[] = [];
  walk(fitting(root, wanted) ?? { ...root, children: [] }, 1, 1, 1);
  return rows;

  function walk(actor: Actor, level: number, position: number, siblings: number): void {
    const open = actor.children.length === 0 ? null : wanted.length > 0 || !closed.has(actor.path);
    rows.push({ actor, level, open, position, siblings });
    if (open !== true) return;
    const children = [...actor.children].sort((a, b) => heat(b) - heat(a));
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
