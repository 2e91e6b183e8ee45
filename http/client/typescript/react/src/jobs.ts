'use client';

import { type Job, jobsOf, Problem, type Topic } from '@troupe/client';
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { type Connection, useOfConnection } from './connection.js';
import { inFrame } from './frame.js';
import { useTroupe } from './provider.js';

export interface JobsOptions {
  /** "owner:me" by default. */
  topic?: Topic | undefined;
  where?: ((job: Job) => boolean) | undefined;
  enabled?: boolean | undefined;
}

export interface Jobs {
  /** Newest first. */
  jobs: readonly Job[];
  /** The stream has told everything about the topic: where nothing is shown, there is nothing. */
  ready: boolean;
  connection: Connection;
  /** Why the topic is not shown. */
  error: Problem | null;
}

const none: readonly Job[] = [];

/** The jobs of a topic, live. Changes within a frame render once. */
export function useJobs({ topic = 'owner:me', where, enabled = true }: JobsOptions = {}): Jobs {
  const client = useTroupe();
  const [trouble, setTrouble] = useState<Problem | null>(null);
  useEffect(() => {
    if (!enabled) return;
    setTrouble(null);
    try {
      return client.watch(topic);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      setTrouble(problem);
    }
    return undefined;
  }, [client, topic, enabled]);
  const watch = useCallback(
    (watcher: () => void) => {
      const { tell, forget } = inFrame(watcher);
      const unwatch = client.jobs.watchAll(tell);
      return () => {
        unwatch();
        forget();
      };
    },
    [client],
  );
  const all = useSyncExternalStore(
    watch,
    () => client.jobs.all(),
    () => none,
  );
  const connection = useOfConnection(client, (state) => state.phase, 'idle');
  const ready = useOfConnection(client, (state) => state.covered.includes(topic), false);
  const problem = useOfConnection(client, (state) => state.problem, null);
  const jobs = useMemo(() => {
    const shown = enabled ? jobsOf(all, topic) : [];
    return where ? shown.filter(where) : shown;
  }, [all, topic, where, enabled]);
  return { jobs, ready, connection, error: trouble ?? problem };
}
