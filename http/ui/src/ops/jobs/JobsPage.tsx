import { useEffect } from 'react';
import { useKeys } from '../frame/keys';
import { useStats, useTopics } from '../live/hooks';
import { Page } from '../parts';
import { navigate, useQuery } from '../router';
import './jobs.css';
import { ListPanel } from './ListPanel';
import { isPlain } from './query';
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
  const refused = list.problem?.status === 422 ? list.problem : null;
  const fresh = busy ? maxFresh + 1 : list.fresh;

  function showNew(): void {
    if (cursor === '') list.refresh();
    else navigate(address(q));
    scrollTo({ top: 0 });
  }
  function goOn(from: string): void {
    navigate(address(q, from));
    scrollTo({ top: 0 });
  }
  useKeys({ '.': { does: 'Show what is new', run: showNew } });
  useEffect(() => {
    const wanted = new URLSearchParams(location.search).has('find');
    if (wanted) document.querySelector<HTMLInputElement>('#job-search')?.focus();
  }, []);

  return (
    <Page title="Jobs">
      <SearchBox q={q} problem={refused} />
      <Views q={q} />
      {refused === null && (
        <ListPanel
          q={q}
          list={list}
          news={cursor !== '' ? 'Older jobs: back to the newest' : newWords(fresh, q)}
          onNews={showNew}
          onFull={goOn}
        />
      )}
    </Page>
  );
}

function address(q: string, cursor = ''): string {
  const query = new URLSearchParams({ ...(q !== '' && { q }), ...(cursor !== '' && { cursor }) });
  return query.size === 0 ? '/ops/jobs' : `/ops/jobs?${query}`;
}

function newWords(fresh: number, q: string): string {
  if (fresh === 0) return '';
  const words = fresh > maxFresh ? 'Many new jobs' : fresh === 1 ? '1 new job' : `${fresh} new jobs`;
  return isPlain(q) ? words : `${words}, which may fit or not`;
}
