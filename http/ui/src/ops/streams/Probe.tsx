import { useEffect, useState } from 'react';
import { served } from '../../base';
import { object, parseObject, text } from '../../json';
import { count } from '../figures';
import { Chip, clockTime, EmptyState, Panel, Words } from '../parts';
import { Link } from '../router';

interface Line {
  n: number;
  at: number;
  event: string;
  bytes: number;
  /** What it says, in few words: untrusted. */
  words: string;
  job: string;
}

/** Lines that are kept on the screen. */
const maxLines = 200;
const names = ['hello', 'job', 'ready', 'removed', 'place', 'stats', 'hb', 'fault', 'end'];
/** Lines come in bursts: they are drawn together. */
const drawMs = 250;

/** Opens a stream of its own with these topics, as any page would, and shows what arrives. */
export function Probe({ topics, onClose }: { topics: readonly string[]; onClose(): void }) {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [total, setTotal] = useState({ events: 0, bytes: 0 });
  const [phase, setPhase] = useState<'connecting' | 'open' | 'lost' | 'refused'>('connecting');
  const key = topics.join('\n');

  useEffect(() => {
    setLines([]);
    setTotal({ events: 0, bytes: 0 });
    setPhase('connecting');
    const query = key.split('\n').map((topic) => `topic=${encodeURIComponent(topic)}`).join('&');
    const source = new EventSource(served(`/v1/stream?${query}`));
    let n = 0;
    let bytes = 0;
    let fresh: Line[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      const batch = fresh.reverse();
      fresh = [];
      setLines((was) => [...batch, ...was].slice(0, maxLines));
      setTotal({ events: n, bytes });
    };
    const on = (event: Event) => {
      const { type, data } = event as MessageEvent<unknown>;
      const source = text(data);
      bytes += source.length;
      fresh.push({ n: ++n, at: Date.now(), event: type, bytes: source.length, ...describe(type, source) });
      fresh = fresh.slice(-maxLines);
      timer ??= setTimeout(draw, drawMs);
    };
    for (const name of names) source.addEventListener(name, on);
    source.onopen = () => setPhase('open');
    source.onerror = () => setPhase(source.readyState === EventSource.CLOSED ? 'refused' : 'lost');
    return () => {
      source.close();
      clearTimeout(timer);
    };
  }, [key]);

  return (
    <Panel
      flush
      title={
        <>
          Watching as they do{' '}
          {topics.map((topic) => (
            <Chip key={topic}>
              <Words text={topic} limit={80} />
            </Chip>
          ))}
        </>
      }
      actions={
        <>
          <span className="hint probe-state" data-phase={phase} role="status">
            {phases[phase]}
            {total.events > 0 && `, ${count(total.events)} events, ${count(Math.ceil(total.bytes / 1_024))} KB`}
          </span>
          <button type="button" className="quiet" onClick={onClose}>
            Stop watching
          </button>
        </>
      }
    >
      {lines.length === 0 ? (
        <EmptyState title={phase === 'refused' ? 'The server does not open this stream' : 'Nothing has arrived yet'}>
          {phase !== 'refused' && 'A stream says hello within a second, and then only what changes.'}
        </EmptyState>
      ) : (
        <div className="probe" tabIndex={0} role="log" aria-label="Events of the stream" aria-live="off">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Event</th>
                <th scope="col">Says</th>
                <th scope="col" className="end wide">
                  Bytes
                </th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => (
                <tr key={line.n}>
                  <td className="mono">{clockTime(line.at)}</td>
                  <td>
                    <Chip tone={line.event === 'fault' ? 'bad' : line.event === 'end' ? 'warm' : 'plain'}>{line.event}</Chip>
                  </td>
                  <td className="grow">
                    {line.job && (
                      <Link to={`/ops/jobs/${encodeURIComponent(line.job)}`} className="mono">
                        {line.job.slice(0, 13)}…
                      </Link>
                    )}{' '}
                    <Words text={line.words} limit={200} />
                  </td>
                  <td className="end wide">{count(line.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

const phases = { connecting: 'connecting', open: 'open', lost: 'lost, it comes back by itself', refused: 'refused' } as const;

function describe(event: string, source: string): { words: string; job: string } {
  const data = parseObject(source) ?? {};
  const id = text(data.id);
  switch (event) {
    case 'job':
      return { job: id, words: `${text(data.status)} ${progress(data)} ${text(object(data.error).message)}`.trim() };
    case 'removed':
      return { job: id, words: text(data.reason) };
    case 'place':
      return { job: id, words: `${text(data.reason)}${typeof data.position === 'number' ? `, ${data.position} in line` : ''}` };
    default:
      return { job: '', words: source.slice(0, 240) };
  }
}

function progress(data: Record<string, unknown>): string {
  const pct = object(data.progress).pct ?? data.progress;
  return typeof pct === 'number' && pct > 0 ? `${Math.floor(pct)} %` : '';
}
