import { useEffect } from 'react';
import { useKeys } from '../frame/keys';
import { useStats, useTopics } from '../live/hooks';
import { EmptyState, ErrorState, Loading, Page, Panel, Time } from '../parts';
import { navigate, useQuery } from '../router';
import { JobTable } from './JobTable';
import './jobs.css';
import { SearchBox } from './SearchBox';
import { maxFresh, maxRows, useJobList } from './useJobList';
import { Views } from './Views';

/** Above this many changes a second the stream has only the rows, and not all jobs. */
const busyPerS = 100;

export default function JobsPage() {
  const [q] = useQuery('q');
  const [cursor] = useQuery('cursor');
  const list = useJobList(q, cursor);
  const totals = useStats()?.totals;
  const busy = totals !== undefined && totals.startedPerS + totals.completedPerS > busyPerS;
  useTopics(...(busy ? list.rows.slice(0, maxRows).map(({ id }) => `job:${id}` as const) : (['all'] as const)));
  const { refresh } = list;
  const first = cursor === '';

  function showNew(): void {
    if (first) refresh();
    else navigate(`/ops/jobs${q === '' ? '' : `?${new URLSearchParams({ q })}`}`);
    scrollTo({ top: 0 });
  }
  useKeys({ '.': { does: 'Show what is new', run: showNew } });
  useEffect(() => {
    if (new URLSearchParams(location.search).has('find')) document.querySelector<HTMLInputElement>('#job-search')?.focus();
  }, []);

  const empty = list.rows.length === 0 && !list.loading && list.problem === null;
  return (
    <Page title="Jobs">
      <SearchBox q={q} problem={list.problem?.status === 422 ? list.problem : null} />
      <Views q={q} />
      <Panel flush>
        <div className="jobs-news" role="status">
          {(list.fresh > 0 || (busy && first)) && list.rows.length > 0 && (
            <button type="button" onClick={showNew}>
              {list.fresh > maxFresh || busy ? 'Many new jobs' : list.fresh === 1 ? '1 new job' : `${list.fresh} new jobs`}
              <span className="hint">
                press <kbd>.</kbd>
              </span>
            </button>
          )}
          {!first && (
            <button type="button" onClick={showNew}>
              Older jobs, back to the newest
              <span className="hint">
                press <kbd>.</kbd>
              </span>
            </button>
          )}
        </div>
        {list.rows.length > 0 && (
          <div className="scroll">
            <JobTable rows={list.rows} onChanged={refresh} />
          </div>
        )}
        {list.loading && list.rows.length === 0 && <Loading rows={8} />}
        {list.problem && list.problem.status !== 422 && <ErrorState problem={list.problem} onRetry={refresh} />}
        {empty && list.next === null && <Nothing q={q} onNew={list.fresh > 0 ? showNew : null} />}
        {list.next !== null && (
          <div className="jobs-more">
            {list.backTo !== null && (
              <p>
                Searched back to <Time at={list.backTo} />.
              </p>
            )}
            <button
              type="button"
              className="quiet"
              aria-disabled={list.loading}
              onClick={() => (list.rows.length < maxRows ? list.more() : goOn(q, list.next))}
            >
              {list.loading ? 'Reading…' : list.backTo !== null ? 'Continue' : 'Show older'}
            </button>
          </div>
        )}
      </Panel>
    </Page>
  );
}

function goOn(q: string, cursor: string | null): void {
  navigate(`/ops/jobs?${new URLSearchParams({ ...(q !== '' && { q }), cursor: cursor ?? '' })}`);
  scrollTo({ top: 0 });
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
