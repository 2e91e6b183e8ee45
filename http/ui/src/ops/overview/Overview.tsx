import './overview.css';
import { age, count, plural, rate } from '../figures';
import type { Stats } from '../live/events';
import { useStats, useStatsHistory } from '../live/hooks';
import { Chip, type Column, duration, EmptyState, ErrorState, Figure, Loading, Page, Panel, Sparkline, Table } from '../parts';
import { Meter } from '../queues/Meter';
import { type Queue, useQueues } from '../queues/queues';
import { Link, navigate } from '../router';
import { FlowChart } from './FlowChart';
import { WhatChanged } from './WhatChanged';

/** The first page of whoever is on call: is anything stuck, since when, and what happened. */
export default function Overview() {
  const { data: queues, problem, reload } = useQueues();
  const stats = useStats();
  const history = useStatsHistory();
  if (queues === undefined)
    return <Page title="Overview">{problem ? <ErrorState problem={problem} onRetry={reload} /> : <Loading rows={8} />}</Page>;
  return (
    <Page title="Overview" lead={summary(queues, stats)}>
      <Figures queues={queues} stats={stats} history={history} />
      {stats !== null && (
        <Panel title="Flow">
          <FlowChart history={history} />
        </Panel>
      )}
      <div className="overview-columns">
        <div className="overview-side">
          <Panel title="Queues" flush>
            {queues.length === 0 ? (
              <EmptyState title="This node serves no queue" />
            ) : (
              <div className="scroll">
                <Table
                  label="Queues"
                  columns={columns(history)}
                  rows={[...queues].sort(byNeed)}
                  keyOf={(queue) => queue.name}
                  toneOf={(queue) => (queue.paused ? 'warm' : undefined)}
                  onOpen={(queue) => navigate(`/ops/queues?queue=${encodeURIComponent(queue.name)}`)}
                />
              </div>
            )}
          </Panel>
          <Behind queues={queues} stats={stats} />
        </div>
        <WhatChanged queues={queues} />
      </div>
    </Page>
  );
}

/** One sentence: the worst of what is so, or that nothing is. */
function summary(queues: readonly Queue[], stats: Stats | null): string {
  const paused = queues.filter((queue) => queue.paused);
  const late = queues.filter((queue) => !queue.paused && (queue.oldestAgeS ?? 0) > 60);
  const parts = [
    late.length > 0 && `Late: ${names(late)}.`,
    paused.length > 0 && `Paused: ${names(paused)}.`,
    (stats?.nodeState.writeLagS ?? 0) > 3 && 'The store takes writes late.',
  ].filter((part) => part !== false);
  const all = queues.length === 1 ? 'The queue moves.' : `${plural(queues.length, 'queue')}, and each moves.`;
  const others = `${parts.length > 0 && paused.length + late.length < queues.length ? ' The others move.' : ''}`;
  return `${parts.length > 0 ? parts.join(' ') + others : all}${stats === null ? '' : ` ${plural(stats.nodes, 'node')}.`}`;
}

function names(queues: readonly Queue[]): string {
  const some = queues.slice(0, 3).map(({ name }) => name);
  return queues.length > 3 ? `${some.join(', ')} and ${queues.length - 3} more` : some.join(', ');
}

function byNeed(a: Queue, b: Queue): number {
  return Number(b.paused) - Number(a.paused) || b.waiting + b.running - (a.waiting + a.running) || a.name.localeCompare(b.name);
}

function Figures({ queues, stats, history }: { queues: readonly Queue[]; stats: Stats | null; history: readonly Stats[] }) {
  const sum = (of: (queue: Queue) => number) => queues.reduce((total, queue) => total + of(queue), 0);
  const oldest = Math.max(0, ...queues.map((queue) => (queue.paused ? 0 : (queue.oldestAgeS ?? 0))));
  const totals = stats?.totals;
  const ended = totals ? totals.completedPerS + totals.failedPerS : 0;
  const share = totals && ended > 0 ? totals.failedPerS / ended : 0;
  const waiting = totals?.waiting ?? sum((queue) => queue.waiting);
  const held = sum((queue) => (queue.paused ? queue.waiting : 0));
  const dead = totals?.dead ?? sum((queue) => queue.dead);
  const trend = (of: (one: Stats) => number) => history.map(of);
  return (
    <div className="figures">
      <Figure
        label="Waiting"
        value={count(waiting)}
        note={oldest > 0 ? `the oldest for ${age(oldest)}` : held > 0 ? `${held >= waiting ? 'all' : count(held)} in paused queues` : 'nothing waits for its turn'}
        {...(oldest > 60 && { tone: 'warm' as const })}
      >
        {history.length > 1 && <Sparkline values={trend((one) => one.totals.waiting)} label="Waiting, last two minutes" />}
      </Figure>
      <Figure label="Running" value={count(totals?.processing ?? sum((queue) => queue.running))} note={`${count(sum((queue) => queue.slots))} may run at once`}>
        {history.length > 1 && <Sparkline values={trend((one) => one.totals.processing)} label="Running, last two minutes" />}
      </Figure>
      {totals && (
        <Figure label="Completed a second" value={rate(totals.completedPerS)} note={`${rate(totals.startedPerS)} started`}>
          {history.length > 1 && <Sparkline values={trend((one) => one.totals.completedPerS)} label="Completed a second, last two minutes" tone="good" />}
        </Figure>
      )}
      {totals && (
        <Figure
          label="Failed a second"
          value={rate(totals.failedPerS)}
          note={share > 0 ? `${Math.round(share * 100)} % of what ends` : 'of the last five seconds'}
          {...(share > 0.2 && { tone: 'bad' as const })}
        >
          {history.length > 1 && <Sparkline values={trend((one) => one.totals.failedPerS)} label="Failed a second, last two minutes" tone="bad" />}
        </Figure>
      )}
      <Figure
        label="Dead letters"
        value={dead === 0 ? '0' : <Link to="/ops/dead">{count(dead)}</Link>}
        note={dead === 0 ? 'none to look after' : 'kept for a person'}
        {...(dead > 0 && { tone: 'bad' as const })}
      >
        {history.length > 1 && <Sparkline values={trend((one) => one.totals.dead)} label="Dead letters, last two minutes" tone={dead > 0 ? 'bad' : 'plain'} />}
      </Figure>
    </div>
  );
}

function columns(history: readonly Stats[]): Column<Queue>[] {
  const flow = new Map<string, { done: number[]; failed: boolean }>();
  for (const { queues } of history)
    for (const queue of queues) {
      const of = flow.get(queue.name) ?? { done: [], failed: false };
      of.done.push(queue.completedPerS + queue.failedPerS);
      of.failed = queue.failedPerS > 0;
      flow.set(queue.name, of);
    }
  return [
    {
      id: 'name',
      title: 'Queue',
      cell: (queue) => (
        <span className="queue-name">
          <Link to={`/ops/queues?queue=${encodeURIComponent(queue.name)}`}>{queue.name}</Link> {queue.paused && <Chip tone="warm">paused</Chip>}
        </span>
      ),
    },
    {
      id: 'running',
      title: 'Running',
      cell: (queue) => (
        <span className="queue-running">
          <Meter value={queue.running} max={queue.slots} label={`Running in ${queue.name}`} />
          {count(queue.running)} of {count(queue.slots)}
        </span>
      ),
    },
    { id: 'waiting', title: 'Waiting', align: 'end', cell: (queue) => count(queue.waiting) },
    { id: 'oldest', title: 'Oldest', align: 'end', wide: true, cell: ({ oldestAgeS }) => (oldestAgeS === null ? <span className="none">–</span> : age(oldestAgeS)) },
    { id: 'dead', title: 'Dead', align: 'end', cell: (queue) => (queue.dead === 0 ? '0' : <Link to={`/ops/dead?queue=${encodeURIComponent(queue.name)}`}>{count(queue.dead)}</Link>) },
    ...(history.length > 0
      ? [
          {
            id: 'flow',
            title: 'Ended a second',
            wide: true,
            cell: (queue: Queue) => {
              const of = flow.get(queue.name);
              return (
                <span className="queue-flow">
                  <Sparkline values={of?.done ?? []} label={`Ended a second in ${queue.name}, last two minutes`} tone={of?.failed ? 'bad' : 'good'} />
                  <span>{rate((queue.rates?.completed ?? 0) + (queue.rates?.failed ?? 0))}</span>
                </span>
              );
            },
          },
        ]
      : []),
  ];
}

/** What stands between an accepted job and a screen, in figures of the node that serves this page. */
function Behind({ queues, stats }: { queues: readonly Queue[]; stats: Stats | null }) {
  const state = stats?.nodeState;
  const oldest = Math.max(0, ...queues.map((queue) => queue.oldestAgeS ?? 0));
  const rows: [string, string, boolean?][] = [
    ['Inbox', `${count(queues.reduce((n, queue) => n + queue.waiting, 0))} waiting${oldest > 0 ? `, the oldest ${age(oldest)}` : ''}`],
  ];
  if (state?.writeLagS != null) rows.push(['Write-through', state.writeLagS < 0.05 ? 'in time' : `${duration(state.writeLagS * 1_000)} behind`, state.writeLagS > 3]);
  if (state?.writePending != null) rows.push(['To be written', plural(state.writePending, 'change')]);
  if (state?.actors != null) rows.push(['Job actors', count(state.actors)]);
  if (state?.streams != null) rows.push(['Streams', `${count(state.streams)} connected`]);
  return (
    <Panel title="Behind it">
      <dl className="facts">
        {rows.map(([name, value, bad]) => (
          <div key={name} data-tone={bad ? 'bad' : undefined}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
