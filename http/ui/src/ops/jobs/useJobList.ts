import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ListedJob } from '../../api/listed';
import { Problem } from '../ask';
import { live } from '../live/live';
import { type JobPage, listJobs, newest } from './list';
import { mayFit } from './query';

/** Rows on one page at most: after them the page goes on with a new address. */
export const maxRows = 300;
/** New jobs are counted up to this. */
export const maxFresh = 99;
/** Changes are drawn together. */
const drawMs = 120;

export interface JobList {
  rows: readonly ListedJob[];
  /** Jobs that came since and may fit. */
  fresh: number;
  next: string | null;
  backTo: string | null;
  problem: Problem | null;
  loading: boolean;
  /** Reads the first page again. */
  refresh(): void;
  /** Reads on after the last row. */
  more(): void;
}

/** The jobs of a search: rows stand still and change in place; new ones are counted until they are asked for. */
export function useJobList(q: string, cursor: string): JobList {
  const [pages, setPages] = useState<readonly JobPage[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const [freshIds, setFresh] = useState<ReadonlySet<string>>(new Set());
  const abort = useRef<AbortController | null>(null);
  const listed = useMemo(() => pages.flatMap((page) => page.jobs), [pages]);
  const last = pages.at(-1);

  const read = useCallback(
    (from: string, keep: readonly JobPage[]) => {
      abort.current?.abort();
      const mine = new AbortController();
      abort.current = mine;
      setLoading(true);
      listJobs(q, from, mine.signal).then(
        (page) => {
          if (mine.signal.aborted) return;
          setPages([...keep, page]);
          if (keep.length === 0) setFresh(new Set());
          setProblem(null);
          setLoading(false);
        },
        (fault: unknown) => {
          if (mine.signal.aborted) return;
          setProblem(fault instanceof Problem ? fault : new Problem({ status: 0, code: 'page', detail: String(fault) }));
          setLoading(false);
        },
      );
    },
    [q],
  );

  useEffect(() => {
    setPages((was) => (round === 0 ? [] : was));
    read(cursor, []);
    return () => abort.current?.abort();
  }, [read, cursor, round]);

  const known = useMemo(() => new Set(listed.map((job) => job.id)), [listed]);
  const rows = useLiveRows(listed);
  useFresh(q, cursor === '' ? (pages[0]?.askedAt ?? null) : null, known, setFresh);

  return {
    rows,
    fresh: freshIds.size,
    next: last?.next ?? null,
    backTo: last?.backTo ?? null,
    problem,
    loading,
    refresh: () => setRound((n) => n + 1),
    more: () => last?.next && read(last.next, pages),
  };
}

/** The rows with what the stream says of them since. */
function useLiveRows(listed: readonly ListedJob[]): readonly ListedJob[] {
  const [rows, setRows] = useState(listed);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      setRows((was) => {
        const now = listed.map((job) => newest(job, live.job(job.id)));
        const same = was.length === now.length && now.every((job, i) => job.rev === was[i]?.rev && job.id === was[i]?.id);
        return same ? was : now;
      });
    };
    draw();
    const unwatch = live.client.jobs.watchAll(() => {
      timer ??= setTimeout(draw, drawMs);
    });
    return () => {
      unwatch();
      clearTimeout(timer);
    };
  }, [listed]);
  return rows;
}

/** Keeps the ids of jobs that were made since the list was asked for and may fit the search. */
function useFresh(q: string, since: number | null, known: ReadonlySet<string>, set: (fresh: ReadonlySet<string>) => void): void {
  useEffect(() => {
    if (since === null) return;
    const fits = mayFit(q);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const count = () => {
      timer = undefined;
      const from = since + live.connection.get().skewMs;
      const fresh = live.client.jobs.all().filter((job) => job.createdAt > from && !known.has(job.id) && fits(job));
      set(new Set(fresh.slice(0, maxFresh + 1).map((job) => job.id)));
    };
    const unwatch = live.client.jobs.watchAll(() => {
      timer ??= setTimeout(count, drawMs * 2);
    });
    return () => {
      unwatch();
      clearTimeout(timer);
    };
  }, [q, since, known, set]);
}
