'use client';

import { followLogs, followOutput, type FollowOptions, type Gap, type LogLine, type OutputChunk, Problem, type Troupe } from '@troupe/client';
import { useEffect, useState } from 'react';
import { inFrame } from './frame.js';
import { useTroupe } from './provider.js';

export interface FollowHookOptions {
  enabled?: boolean | undefined;
  /** Begin at the last so many. */
  tail?: number | undefined;
  /** Kept at most, the newest: 1,000 lines, or 1,048,576 characters of output. */
  max?: number | undefined;
}

export interface Followed {
  /** Something older is not here: it was dropped here or at the server. */
  truncated: boolean;
  /** There will be no more. */
  done: boolean;
  error: Problem | null;
}

export interface JobLogs extends Followed {
  lines: readonly LogLine[];
}

export interface JobOutput extends Followed {
  text: string;
}

const nothing: Followed = { truncated: false, done: false, error: null };
const noLogs: JobLogs = { ...nothing, lines: [] };
const noOutput: JobOutput = { ...nothing, text: '' };

/** The log of a job, line by line. */
export function useJobLogs(jobId: string | null | undefined, options: FollowHookOptions = {}): JobLogs {
  return useFollowed(followLogs, jobId, options, noLogs, addLines);
}

/** What a job puts out, as one text. */
export function useJobOutput(jobId: string | null | undefined, options: FollowHookOptions = {}): JobOutput {
  return useFollowed(followOutput, jobId, options, noOutput, addText);
}

function addLines(before: JobLogs, more: readonly LogLine[], max = 1_000): JobLogs {
  const lines = [...before.lines, ...more];
  return { ...before, lines: lines.slice(-max), truncated: before.truncated || lines.length > max };
}

function addText(before: JobOutput, more: readonly OutputChunk[], max = 1 << 20): JobOutput {
  const text = before.text + more.map((chunk) => chunk.data).join('');
  return { ...before, text: text.slice(-max), truncated: before.truncated || text.length > max };
}

function useFollowed<Item, State extends Followed>(
  follow: (client: Troupe, id: string, options: FollowOptions) => AsyncGenerator<Item | Gap, void, void>,
  jobId: string | null | undefined,
  { enabled = true, tail, max }: FollowHookOptions,
  empty: State,
  add: (before: State, more: readonly Item[], max?: number) => State,
): State {
  const client = useTroupe();
  const id = enabled && jobId ? jobId : null;
  const [shown, setShown] = useState<{ id: string | null; state: State }>({ id, state: empty });
  useEffect(() => {
    if (id === null) return;
    const abort = new AbortController();
    let state = empty;
    let more: Item[] = [];
    const { tell, forget } = inFrame(() => {
      if (more.length > 0) state = add(state, more, max);
      more = [];
      setShown({ id, state });
    });
    const read = async () => {
      try {
        const options: FollowOptions = { signal: abort.signal, ...(tail !== undefined && { tail }) };
        for await (const item of follow(client, id, options)) {
          if (isGap(item)) state = { ...state, truncated: true };
          else more.push(item);
          tell();
        }
        state = { ...state, done: !abort.signal.aborted };
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        state = { ...state, done: true, error: problem };
      }
      if (!abort.signal.aborted) tell();
    };
    // What is mounted twice in a row, as StrictMode does, makes one connection.
    const start = setTimeout(() => void read());
    return () => {
      clearTimeout(start);
      abort.abort();
      forget();
    };
  }, [client, id, tail, max, follow, empty, add]);
  return shown.id === id ? shown.state : empty;
}

function isGap<Item>(item: Item | Gap): item is Gap {
  return typeof item === 'object' && item !== null && 'type' in item && item.type === 'gap';
}
