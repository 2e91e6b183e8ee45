import './dead.css';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { count, plural } from '../figures';
import { useKeys } from '../frame/keys';
import { useStats } from '../live/hooks';
import { EmptyState, ErrorState, Loading, Page, Panel } from '../parts';
import { useQueues } from '../queues/queues';
import { useQuery } from '../router';
import type { Verb, Whom } from './bulk';
import { BulkDialog } from './BulkDialog';
import { GroupRow } from './GroupRow';
import { type Group, useGroups, whomOf } from './groups';

/** Jobs that ended badly and are kept for a person, by what went wrong. */
export default function DeadPage() {
  const [queue, setQueue] = useQuery('queue');
  const [kind, setKind] = useQuery('kind');
  const [q, setQ] = useQuery('q');
  const [open, setOpen] = useQuery('open');
  const filter = { queue, kind, q };
  const { data, problem, reload } = useGroups(filter, 10_000);
  const [bulk, setBulk] = useState<{ verb: Verb; whom: Whom; what: string } | null>(null);
  const groups = data?.groups ?? [];
  const filtered = queue !== '' || kind !== '' || q !== '';
  useReloadWhenMore(reload);

  const one = (verb: Verb, group: Group) =>
    setBulk({ verb, whom: whomOf(group, filter), what: `this group of ${group.kind}` });
  const all = (verb: Verb) => setBulk({ verb, whom: { queue, kind, q }, what: filtered ? 'all that match' : 'all dead letters' });
  useGroupKeys(groups, { r: (group) => one('redrive', group), D: (group) => one('delete', group) });

  return (
    <Page
      title="Dead letters"
      lead="Jobs that are out of attempts, or failed for good, by what went wrong."
      actions={
        groups.length > 0 && (
          <>
            <button type="button" className="quiet" onClick={() => all('redrive')}>
              {filtered ? 'Redrive what matches…' : 'Redrive all…'}
            </button>
            <button type="button" className="quiet" onClick={() => all('delete')}>
              {filtered ? 'Delete what matches…' : 'Delete all…'}
            </button>
          </>
        )
      }
    >
      <Filters queue={queue} kind={kind} q={q} onQueue={setQueue} onKind={setKind} onQ={setQ} kinds={groups.map((group) => group.kind)} />
      {problem && <ErrorState problem={problem} onRetry={reload} />}
      {!problem && data === undefined && <Loading rows={5} />}
      {data !== undefined && groups.length === 0 && (
        <Panel>
          <EmptyState title={filtered ? 'No dead letter matches' : 'Nothing is dead'}>
            {filtered ? 'Take a filter away to see others.' : 'A job comes here when it has failed for the last time.'}
          </EmptyState>
        </Panel>
      )}
      {groups.length > 0 && (
        <>
          <p className="hint dead-sum">
            {plural(groups.length, 'way')} to fail, {count(groups.reduce((sum, group) => sum + group.count, 0))}
            {(groups.some((group) => group.capped) || data?.complete === false) && '+'} jobs
            {data?.ofNewest != null && `, of the newest ${data.ofNewest}`}
          </p>
          <ul className="sheet flush groups" aria-label="Groups of dead letters">
            {groups.map((group) => (
              <GroupRow
                key={group.key}
                group={group}
                filter={filter}
                open={open === group.key}
                onToggle={() => setOpen(open === group.key ? '' : group.key, { replace: true })}
                onBulk={(verb) => one(verb, group)}
                onChange={reload}
              />
            ))}
          </ul>
        </>
      )}
      {bulk && (
        <BulkDialog
          {...bulk}
          onClose={(changed) => {
            setBulk(null);
            if (changed) reload();
          }}
        />
      )}
    </Page>
  );
}

interface FilterProps {
  queue: string;
  kind: string;
  q: string;
  kinds: readonly string[];
  onQueue(value: string): void;
  onKind(value: string): void;
  onQ(value: string): void;
}

function Filters({ queue, kind, q, kinds, onQueue, onKind, onQ }: FilterProps) {
  const queues = useQueues().data ?? [];
  const [words, setWords] = useState(q);
  useEffect(() => setWords(q), [q]);
  const names = [...new Set([...queues.map(({ name }) => name), queue].filter(Boolean))].sort();
  const kindNames = [...new Set([...kinds, kind].filter(Boolean))].sort();
  function submit(event: FormEvent): void {
    event.preventDefault();
    onQ(words.trim());
  }
  return (
    <form className="filters" role="search" onSubmit={submit}>
      <input
        type="search"
        className="input"
        aria-label="Search dead letters"
        placeholder="Words of the error, or owner:ana tag:spring age:<1d"
        value={words}
        maxLength={256}
        onChange={(event) => {
          setWords(event.target.value);
          if (event.target.value === '') onQ('');
        }}
      />
      <select className="input" aria-label="Queue" value={queue} onChange={(event) => onQueue(event.target.value)}>
        <option value="">Every queue</option>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <select className="input" aria-label="Kind" value={kind} onChange={(event) => onKind(event.target.value)}>
        <option value="">Every kind</option>
        {kindNames.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <button type="submit" className="quiet">
        Search
      </button>
    </form>
  );
}

/** New dead letters are looked at soon, not at once: they come in swarms. */
function useReloadWhenMore(reload: () => void): void {
  const dead = useStats()?.totals.dead;
  const seen = useRef(dead);
  useEffect(() => {
    if (dead === seen.current) return;
    const first = seen.current === undefined;
    seen.current = dead;
    if (first) return;
    const timer = setTimeout(reload, 1_500);
    return () => clearTimeout(timer);
  }, [dead, reload]);
}

/** j and k walk the groups; further keys act on the one that has the focus. */
function useGroupKeys(groups: readonly Group[], keys: Record<'r' | 'D', (group: Group) => void>): void {
  const buttons = () => [...document.querySelectorAll<HTMLButtonElement>('.group-toggle')];
  const focused = () => buttons().findIndex((button) => button.closest('.group')?.contains(document.activeElement));
  function walk(by: number): void {
    const all = buttons();
    const at = focused();
    all[at === -1 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
  }
  function act(run: (group: Group) => void): void {
    const group = groups[focused()];
    if (group !== undefined) run(group);
  }
  useKeys({
    j: { does: 'Next group', run: () => walk(1) },
    k: { does: 'Group before', run: () => walk(-1) },
    r: { does: 'Redrive the group', run: () => act(keys.r) },
    D: { does: 'Delete the group', run: () => act(keys.D) },
  });
}
