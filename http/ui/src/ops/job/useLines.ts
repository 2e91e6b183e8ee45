import { followLogs, followOutput, type Gap, type LogLine, type OutputChunk } from '@troupe/client';
import { useEffect, useState } from 'react';
import { live } from '../live/live';

export interface Lines<T> {
  lines: readonly (T | Gap)[];
  /** The server keeps no lines of this job, or not here. */
  absent: boolean;
  /** The job has ended and all was read. */
  done: boolean;
}

/** As many as the server keeps of one job. */
const maxLines = 10_000;
/** What comes in this time is drawn together. */
const drawMs = 80;

export function useLog(id: string, life: number): Lines<LogLine> {
  return useLines(`${id}/${life}`, (signal) => followLogs(live.client, id, { signal }));
}

export function useOutput(id: string, life: number): Lines<OutputChunk> {
  return useLines(`${id}/${life}`, (signal) => followOutput(live.client, id, { signal }));
}

function useLines<T>(key: string, follow: (signal: AbortSignal) => AsyncGenerator<T | Gap, void, void>): Lines<T> {
  const [state, setState] = useState<Lines<T>>({ lines: [], absent: false, done: false });
  useEffect(() => {
    const abort = new AbortController();
    let fresh: (T | Gap)[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      const add = fresh;
      fresh = [];
      setState((was) => ({ ...was, lines: [...was.lines, ...add].slice(-maxLines) }));
    };
    setState({ lines: [], absent: false, done: false });
    const run = async () => {
      for await (const line of follow(abort.signal)) {
        fresh.push(line);
        timer ??= setTimeout(draw, drawMs);
      }
    };
    run().then(
      () => !abort.signal.aborted && setState((was) => ({ ...was, done: true })),
      () => !abort.signal.aborted && setState((was) => ({ ...was, absent: was.lines.length === 0, done: true })),
    );
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
    // `follow` is made anew with each render; the key tells what it follows.
  }, [key]);
  return state;
}
