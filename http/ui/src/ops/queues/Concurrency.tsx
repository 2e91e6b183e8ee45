import { type FormEvent, type KeyboardEvent, useEffect, useId, useState } from 'react';
import { count, plural } from '../figures';
import { told } from './pausing';
import { type Queue, setConcurrency } from './queues';

const most = 10_000;

/** How many handlers of a queue run at once on each node, edited in place, with what that would do. */
export function Concurrency({ queue, onChange }: { queue: Queue; onChange(): void }) {
  const id = useId();
  const [text, setText] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const wanted = text === null ? queue.limit : Number(text);
  const valid = Number.isInteger(wanted) && wanted >= 1 && wanted <= most;
  const changed = text !== null && wanted !== queue.limit;
  useEffect(() => setText(null), [queue.limit]);

  async function apply(to: number): Promise<void> {
    if (busy) return;
    setBusy(true);
    const before = queue.concurrency;
    const words = to === 0 ? `${queue.name} takes each node’s own setting` : `${queue.name} may run ${count(to)} at once on each node`;
    const undo = () => void told(`${queue.name} is as before`, () => setConcurrency(queue.name, before), onChange);
    if (await told(words, () => setConcurrency(queue.name, to), onChange, undo)) setText(null);
    setBusy(false);
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (changed && valid) void apply(wanted);
  }

  function onKey(event: KeyboardEvent<HTMLInputElement>): void {
    if (event.key !== 'Escape') return;
    setText(null);
    event.currentTarget.closest<HTMLElement>('[data-queue]')?.focus();
  }

  const step = (by: number) => setText(String(Math.min(most, Math.max(1, (valid ? wanted : queue.limit) + by))));
  return (
    <form className="concurrency" onSubmit={submit} noValidate>
      <label htmlFor={id}>At once on each node</label>
      <div className="concurrency-field">
        <button type="button" className="quiet step" aria-label={`One less in ${queue.name}`} onClick={() => step(-1)} disabled={valid && wanted <= 1}>
          −
        </button>
        <input
          id={id}
          className="input"
          type="number"
          inputMode="numeric"
          min={1}
          max={most}
          value={text ?? String(queue.limit)}
          aria-invalid={!valid}
          aria-describedby={`${id}-effect`}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKey}
        />
        <button type="button" className="quiet step" aria-label={`One more in ${queue.name}`} onClick={() => step(1)} disabled={valid && wanted >= most}>
          +
        </button>
        {changed && (
          <>
            <button type="submit" className="quiet strong" disabled={!valid || busy}>
              Set
            </button>
            <button type="button" className="quiet" onClick={() => setText(null)}>
              Undo
            </button>
          </>
        )}
        {!changed && queue.concurrency > 0 && (
          <button type="button" className="quiet" disabled={busy} onClick={() => void apply(0)} title="What each node was started with">
            Nodes’ own
          </button>
        )}
      </div>
      <p id={`${id}-effect`} className="hint concurrency-effect" aria-live="polite">
        {valid ? effect(queue, wanted, changed) : `A whole number from 1 to ${count(most)}.`}
      </p>
    </form>
  );
}

/** What a number would do, in words. The slots of all nodes change as those of one do. */
export function effect(queue: Queue, wanted: number, changed: boolean): string {
  const nodes = Math.max(1, Math.round(queue.slots / Math.max(1, queue.limit)));
  const slots = wanted * nodes;
  const everywhere = nodes > 1 ? ` on ${nodes} nodes` : '';
  if (!changed) return `${count(queue.running)} of ${count(queue.slots)} run${everywhere}.`;
  if (queue.paused) return `Up to ${count(slots)}${everywhere}, once the queue goes on.`;
  if (queue.running > slots) return `Now ${count(queue.running)} run: ${plural(queue.running - slots, 'job')} more than ${count(slots)}. Nothing is cut off; others begin as these end.`;
  const begin = Math.min(slots - queue.running, queue.waiting);
  return `${count(queue.running)} of ${count(slots)} would run${everywhere}${begin > 0 ? `, and ${count(begin)} of those that wait begin at once` : ''}.`;
}
