import { absolute, Badge, duration, visible } from '../parts';
import type { Transition } from './history';

/** Lines that are drawn: the last ones. */
const maxLines = 200;

/** Every commit of the job, to the millisecond. */
export function HistoryTable({ history }: { history: readonly Transition[] }) {
  const lines = [...history].sort((a, b) => a.rev - b.rev);
  const from = lines[0]?.at ?? 0;
  const shown = lines.slice(-maxLines);
  return (
    <details className="history">
      <summary>
        {lines.length} {lines.length === 1 ? 'commit' : 'commits'}
      </summary>
      <div className="scroll" tabIndex={0} role="region" aria-label="Commits">
        <table className="table">
          <caption className="unseen">Commits, oldest first</caption>
          <thead>
            <tr>
              <th scope="col">After</th>
              <th scope="col">Event</th>
              <th scope="col">Status</th>
              <th scope="col">Attempt</th>
              <th scope="col">Node</th>
              <th scope="col">Note</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((line) => (
              <tr key={line.rev}>
                <td title={absolute(line.at)}>+{duration(line.at - from)}</td>
                <td>{visible(line.event)}</td>
                <td>
                  <Badge status={line.status} />
                </td>
                <td>{line.attempt || ''}</td>
                <td>{visible(line.node)}</td>
                <td className="history-note">
                  <bdi>{visible((line.failure?.message ?? line.note).slice(0, 300))}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
