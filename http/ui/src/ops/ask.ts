import { useCallback, useEffect, useRef, useState } from 'react';
import { Problem } from '../api';
import { send, sendForJson } from '../api/http';

export { Problem, send, sendForJson };

/** What came of a question to the server. Data stay while they are asked for again, and when that fails. */
export interface Asked<T> {
  data: T | undefined;
  problem: Problem | null;
  loading: boolean;
  /** Asks again. */
  reload(): void;
}

/**
 * Asks when the page is shown and whenever `key` changes; null asks nothing. `ask` gets a signal that is aborted when the
 * answer is no longer wanted. With everyMs it asks again after each answer, while the tab is visible.
 */
export function useAsk<T>(
  key: string | null,
  ask: (signal: AbortSignal) => Promise<T>,
  options: { everyMs?: number } = {},
): Asked<T> {
  const [state, setState] = useState<{ key: string | null; data?: T; problem: Problem | null; loading: boolean }>({
    key,
    problem: null,
    loading: key !== null,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const { everyMs } = options;
  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      if (everyMs !== undefined && !abort.signal.aborted) timer = setTimeout(run, everyMs);
    };
    const run = () => {
      if (document.visibilityState === 'hidden' && everyMs !== undefined) return again();
      latest.current(abort.signal).then(
        (data) => {
          if (!abort.signal.aborted) setState({ key, data, problem: null, loading: false });
          again();
        },
        (problem: unknown) => {
          if (!abort.signal.aborted)
            setState((was) => ({
              ...(was.key === key ? was : {}),
              key,
              problem: problem instanceof Problem ? problem : new Problem({ status: 0, code: 'page', detail: String(problem) }),
              loading: false,
            }));
          again();
        },
      );
    };
    setState((was) => (was.key === key ? { ...was, loading: true } : { key, problem: null, loading: true }));
    run();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, round, everyMs]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  const fresh = state.key === key;
  return { data: fresh ? state.data : undefined, problem: fresh ? state.problem : null, loading: state.loading || !fresh, reload };
}

/** Asks for JSON of a path: useAsk with the path as its key. */
export function useJson(path: string | null, options: { everyMs?: number } = {}): Asked<unknown> {
  return useAsk(path, (signal) => sendForJson(path ?? '', { signal }), options);
}

/** The server does not have this yet, or not here: to be left out of the page instead of shown as a failure. */
export function isAbsent(problem: Problem | null): boolean {
  return problem !== null && (problem.status === 404 || problem.status === 405 || problem.status === 501);
}
