import './streams.css';
import { type FormEvent, useState } from 'react';
import { isAbsent } from '../ask';
import { count, plural } from '../figures';
import { Chip, type Column, duration, EmptyState, ErrorState, Figure, Loading, Page, Panel, Table, Time, Words } from '../parts';
import { Link, useQuery } from '../router';
import { Probe } from './Probe';
import { reasons, type Stream, useStreams } from './streams';

const someTopics = 3;

/** Who is connected to this node, what they watch, how they keep up, and why others have gone. */
export default function StreamsPage() {
  const { data, problem, reload } = useStreams();
  const [probe, setProbe] = useQuery('probe');
  const [find, setFind] = useQuery('find');
  const topics = probe.split(',').filter(Boolean);
  const watched = topics.length > 0 && <Probe topics={topics} onClose={() => setProbe('')} />;
  if (data === undefined)
    return (
      <Page title="Streams">
        {isAbsent(problem) ? (
          <EmptyState title="This server does not tell who is connected" />
        ) : problem ? (
          <ErrorState problem={problem} onRetry={reload} />
        ) : (
          <Loading rows={5} />
        )}
        {watched}
      </Page>
    );
  const wanted = find.trim().toLowerCase();
  const rows = data.streams.filter((stream) => `${stream.principal} ${stream.remote} ${stream.topics.join(' ')}`.toLowerCase().includes(wanted)).sort(byNeed);
  const behind = data.streams.filter((stream) => stream.lagMs > 1_000).length;
  return (
    <Page title="Streams" lead={`Connected to ${data.node}: each node has its own.`}>
      <div className="figures">
        <Figure label="Connected" value={`${count(data.streams.length)}${data.truncated ? '+' : ''}`} note={`${plural(new Set(data.streams.map(({ principal }) => principal)).size, 'principal')}`} />
        <Figure label="Behind" value={count(behind)} note="by more than a second" {...(behind > 0 && { tone: 'warm' as const })} />
        <Figure label="Pending" value={count(sum(data.streams, 'pending'))} note="states not taken yet" />
        <Figure label="Sent" value={count(sum(data.streams, 'sent'))} note="frames, to those who are here" />
        <Figure label="Coalesced" value={count(sum(data.streams, 'coalesced'))} note="replaced before they were sent" />
      </div>
      {watched}
      <Panel
        flush
        title="Who is connected"
        actions={
          <input
            type="search"
            className="input stream-search"
            aria-label="Search streams"
            placeholder="Who, from where, or which topic"
            value={find}
            maxLength={128}
            onChange={(event) => setFind(event.target.value, { replace: true })}
          />
        }
      >
        {rows.length === 0 ? (
          <EmptyState title={data.streams.length === 0 ? 'Nobody is connected' : 'No stream matches'} />
        ) : (
          <div className="scroll">
            <Table label="Streams" columns={columns} rows={rows} keyOf={(stream) => stream.id} toneOf={(stream) => (stream.lagMs > 5_000 ? 'bad' : stream.lagMs > 1_000 ? 'warm' : undefined)} />
          </div>
        )}
        {data.truncated && <p className="hint stream-more">Only the first {count(data.streams.length)} are listed.</p>}
      </Panel>
      <div className="stream-columns">
        <Panel title="Why others have gone">
          {data.closed.length === 0 ? (
            <p className="hint">No stream has ended since this node began.</p>
          ) : (
            <ul className="closes">
              {data.closed.map(({ reason, count: n }) => (
                <li key={reason} data-tone={reasons[reason]?.tone}>
                  <span>{reasons[reason]?.words ?? reason}</span>
                  <span className="closes-bar" style={{ '--share': n / (data.closed[0]?.count ?? 1) } as React.CSSProperties} />
                  <span className="closes-count">{count(n)}</span>
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Watch onWatch={(topic) => setProbe(topic)} />
      </div>
    </Page>
  );
}

/** Opens a probe on topics that nobody may watch now. */
function Watch({ onWatch }: { onWatch(topics: string): void }) {
  const [topics, setTopics] = useState('');
  function submit(event: FormEvent): void {
    event.preventDefault();
    const given = topics.split(/[\s,]+/).filter(Boolean).join(',');
    if (given !== '') onWatch(given);
  }
  return (
    <Panel title="Watch as somebody would">
      <form className="watch" onSubmit={submit}>
        <label htmlFor="watch-topics">Topics</label>
        <div className="watch-field">
          <input
            id="watch-topics"
            className="input"
            value={topics}
            maxLength={500}
            placeholder="owner:u1 queue:video"
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setTopics(event.target.value)}
          />
          <button type="submit" className="quiet">
            Watch
          </button>
        </div>
        <p className="hint">
          <code>owner:NAME</code>, <code>queue:NAME</code>, <code>job:ID</code>, <code>batch:NAME</code> or <code>all</code>. It opens a stream of its own and shows each event as it arrives.
        </p>
      </form>
    </Panel>
  );
}

const columns: Column<Stream>[] = [
  {
    id: 'who',
    title: 'Who',
    cell: (stream) => (
      <span className="stream-who">
        <Words text={stream.principal || 'anybody'} limit={64} />
        <span className="hint">
          <Words text={stream.remote} limit={64} />
        </span>
      </span>
    ),
  },
  {
    id: 'topics',
    title: 'Topics',
    cell: (stream) => (
      <span className="stream-topics">
        {stream.topics.slice(0, someTopics).map((topic) => (
          <Chip key={topic}>
            <Words text={short(topic)} limit={48} />
          </Chip>
        ))}
        {stream.topics.length + stream.moreTopics > someTopics && <span className="hint">and {count(stream.topics.length + stream.moreTopics - someTopics)} more</span>}
      </span>
    ),
  },
  { id: 'since', title: 'Since', wide: true, cell: (stream) => <Time at={stream.openedAt} /> },
  { id: 'proto', title: 'By', wide: true, cell: (stream) => `${stream.proto}${stream.mode ? `, ${stream.mode}` : ''}` },
  { id: 'sent', title: 'Sent', align: 'end', wide: true, cell: (stream) => count(stream.sent) },
  { id: 'coalesced', title: 'Coalesced', align: 'end', wide: true, cell: (stream) => count(stream.coalesced) },
  { id: 'pending', title: 'Pending', align: 'end', wide: true, cell: (stream) => count(stream.pending) },
  { id: 'lag', title: 'Lag', align: 'end', cell: (stream) => (stream.lagMs < 50 ? <span className="none">none</span> : duration(stream.lagMs)) },
  {
    id: 'watch',
    title: <span className="unseen">Watch</span>,
    align: 'end',
    cell: (stream) => (
      <Link className="quiet" to={`/ops/streams?probe=${encodeURIComponent(stream.topics.slice(0, 20).join(','))}`} aria-label={`Watch as ${stream.principal || stream.remote}`}>
        Watch
      </Link>
    ),
  },
];

/** An id is known by its beginning. */
function short(topic: string): string {
  return topic.startsWith('job:') ? `${topic.slice(0, 17)}…` : topic;
}

function byNeed(a: Stream, b: Stream): number {
  return b.lagMs - a.lagMs || b.pending - a.pending || (a.openedAt ?? 0) - (b.openedAt ?? 0);
}

function sum(streams: readonly Stream[], of: 'sent' | 'coalesced' | 'pending'): number {
  return streams.reduce((total, stream) => total + stream[of], 0);
}
