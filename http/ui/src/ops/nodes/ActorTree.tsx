import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { count, plural, rate } from '../figures';
import { useKeys } from '../frame/keys';
import { Chip, Duration, duration } from '../parts';
import { Link, navigate } from '../router';
import type { Actor, Tree } from './nodes';
import { hot, isQuiet, ratesOf, type Row, rowsOf, toneOf } from './rows';

/** The actors of a node, who supervises whom. Arrows walk it, as in every tree. */
export function ActorTree({ tree, words }: { tree: Tree; words: string }) {
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState(tree.root.path);
  const body = useRef<HTMLTableSectionElement>(null);
  const looks = useRef(new Map<string, { at: number; processed: number }>());
  const rates = useMemo(() => ratesOf(looks.current, tree.root, tree.at), [tree]);
  const rows = useMemo(() => rowsOf(tree.root, turned, words), [tree, turned, words]);
  const most = Math.max(10, ...rows.map(({ actor }) => actor.mailbox ?? 0));
  const at = Math.max(0, rows.findIndex(({ actor }) => actor.path === active));

  function go(to: number): void {
    const row = rows[Math.min(rows.length - 1, Math.max(0, to))];
    if (row === undefined) return;
    setActive(row.actor.path);
    const element = body.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(row.actor.path)}"]`);
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: 'nearest' });
  }

  function toggle({ actor, open }: Row): void {
    if (open === null) return;
    const next = new Set(turned);
    if (!next.delete(actor.path)) next.add(actor.path);
    setTurned(next);
  }

  function onKey(event: KeyboardEvent, row: Row, i: number): void {
    if (event.target !== event.currentTarget) return;
    switch (event.key) {
      case 'ArrowDown':
        go(i + 1);
        break;
      case 'ArrowUp':
        go(i - 1);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(rows.length - 1);
        break;
      case 'ArrowRight':
        if (row.open === false) toggle(row);
        else if (row.open === true) go(i + 1);
        break;
      case 'ArrowLeft':
        if (row.open === true) toggle(row);
        else go(rows.findLastIndex((other, at) => at < i && other.level < row.level));
        break;
      case 'Enter':
        if (row.actor.job !== null) navigate(`/ops/jobs/${row.actor.job}`);
        else toggle(row);
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  useKeys({ j: { does: 'Next actor', run: () => go(at + 1) }, k: { does: 'Actor before', run: () => go(at - 1) } });

  return (
    <div className="scroll">
      <table className="table tree" role="treegrid" aria-label={`Actors of ${tree.node}`}>
        <thead>
          <tr>
            <th scope="col">Actor</th>
            <th scope="col">State</th>
            <th scope="col">Mailbox</th>
            <th scope="col" className="end wide">
              Messages
            </th>
            <th scope="col" className="end wide">
              Restarts
            </th>
            <th scope="col" className="end wide">
              Last active
            </th>
            <th scope="col" className="end wide">
              Lives
            </th>
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((row, i) => (
            <tr
              key={row.actor.path}
              data-path={row.actor.path}
              data-tone={toneOf(row.actor) === 'bad' ? 'bad' : undefined}
              aria-level={row.level}
              aria-posinset={row.position}
              aria-setsize={row.siblings}
              aria-expanded={row.open ?? undefined}
              tabIndex={i === at ? 0 : -1}
              onFocus={() => setActive(row.actor.path)}
              onKeyDown={(event) => onKey(event, row, i)}
            >
              <th scope="row" className="tree-name" style={{ '--level': row.level - 1 } as React.CSSProperties}>
                <Name row={row} onToggle={() => toggle(row)} />
              </th>
              <td>
                <Chip tone={toneOf(row.actor)}>{row.actor.state}</Chip>
              </td>
              <td>
                <Mailbox value={row.actor.mailbox} most={most} />
              </td>
              <td className="end wide">{messages(row.actor, rates.get(row.actor.path))}</td>
              <td className="end wide">{row.actor.restarts === 0 ? <span className="none">0</span> : <span className="bad">{count(row.actor.restarts)}</span>}</td>
              <td className="end wide">
                <Active actor={row.actor} />
              </td>
              <td className="end wide">
                <Duration from={row.actor.since} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Name({ row: { actor, open }, onToggle }: { row: Row; onToggle(): void }) {
  return (
    <span className="tree-cell">
      {open === null ? (
        <span className="tree-leaf" aria-hidden="true" />
      ) : (
        <button type="button" className="tree-toggle" tabIndex={-1} aria-label={`${open ? 'Close' : 'Open'} ${actor.name}`} onClick={onToggle}>
          <svg viewBox="0 0 12 12" aria-hidden="true" data-open={open}>
            <path d="M4 2l4 4-4 4" />
          </svg>
        </button>
      )}
      <span className="tree-kind" data-kind={actor.kind} aria-hidden="true" />
      {actor.job !== null ? (
        <Link to={`/ops/jobs/${actor.job}`} className="mono" tabIndex={-1} title={actor.job}>
          {`${actor.job.slice(0, 13)}…${actor.job.slice(-6)}`}
        </Link>
      ) : (
        <span className="tree-label">{actor.name}</span>
      )}
      {note(actor) && <span className="hint">{note(actor)}</span>}
    </span>
  );
}

function note(actor: Actor): string {
  if (actor.kind === 'job') {
    const percent = actor.percent !== null && actor.percent > 0 ? `, ${Math.floor(actor.percent)} %` : '';
    return `${actor.jobKind}${actor.attempt > 1 ? `, attempt ${actor.attempt}` : ''}${percent}`;
  }
  if (actor.kind === 'supervisor') return actor.children.length + actor.more === 0 ? 'no jobs' : `${plural(actor.children.length + actor.more, 'job')}${actor.more > 0 ? `, the ${actor.children.length} oldest are shown` : ''}`;
  return '';
}

function messages(actor: Actor, perS: number | undefined) {
  if (actor.processed === null) return <span className="none">–</span>;
  return perS === undefined ? count(actor.processed) : `${rate(perS)} a second`;
}

function Active({ actor }: { actor: Actor }) {
  if (actor.lastMs === null) return <span className="none">–</span>;
  if (actor.lastMs < 1_500) return <span>now</span>;
  return <span className={isQuiet(actor) ? 'late' : undefined}>{duration(actor.lastMs)} ago</span>;
}

function Mailbox({ value, most }: { value: number | null; most: number }) {
  if (value === null) return <span className="none">–</span>;
  if (value === 0) return <span className="none">empty</span>;
  return (
    <span className="mailbox" data-hot={value >= hot}>
      <span className="mailbox-bar" style={{ '--share': Math.min(1, value / most) } as React.CSSProperties} />
      {count(value)}
    </span>
  );
}
