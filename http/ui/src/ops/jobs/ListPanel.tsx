import { EmptyState, ErrorState, Loading, Panel, Time } from '../parts';
import { JobTable } from './JobTable';
import { type JobList, maxRows } from './useJobList';

interface Props {
  q: string;
  list: JobList;
  /** What is new or newer, in words; empty if nothing is. */
  news: string;
  onNews(): void;
  /** Goes on at another address: the page is full. */
  onFull(cursor: string): void;
}

/** The rows of a search, what came since, and the way on. */
export function ListPanel({ q, list, news, onNews, onFull }: Props) {
  const { rows, next, backTo, loading, problem } = list;
  const more = loading ? 'Reading…' : backTo !== null ? 'Continue' : 'Show older';
  return (
    <Panel flush>
      <div className="jobs-news" role="status">
        {news !== '' && rows.length > 0 && (
          <button type="button" onClick={onNews}>
            {news}
            <span className="hint">
              press <kbd>.</kbd>
            </span>
          </button>
        )}
      </div>
      {rows.length > 0 && (
        <div className="scroll">
          <JobTable rows={rows} onChanged={list.refresh} />
        </div>
      )}
      {loading && rows.length === 0 && <Loading rows={8} />}
      {problem && <ErrorState problem={problem} onRetry={list.refresh} />}
      {rows.length === 0 && !loading && problem === null && next === null && (
        <Nothing q={q} onNew={news === '' ? null : onNews} />
      )}
      {next !== null && (
        <div className="jobs-more">
          {backTo !== null && (
            <p>
              Searched back to <Time at={backTo} />.
            </p>
          )}
          <button
            type="button"
            className="quiet"
            aria-disabled={loading}
            onClick={() => (rows.length < maxRows ? list.more() : onFull(next))}
          >
            {more}
          </button>
        </div>
      )}
    </Panel>
  );
}

function Nothing({ q, onNew }: { q: string; onNew: (() => void) | null }) {
  return (
    <EmptyState title={q === '' ? 'No jobs yet' : 'No job fits'}>
      {onNew ? (
        <button type="button" className="quiet" onClick={onNew}>
          Something new came in: look again
        </button>
      ) : q === '' ? (
        'The first one will show here by itself.'
      ) : (
        'Take something out of the search, or look for other words.'
      )}
    </EmptyState>
  );
}
