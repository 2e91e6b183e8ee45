'use client';

import { type Artifact, cancel as cancelJob, type Failure, type Job, type Place, Problem, type Progress, retry as retryJob, type Status, type Troupe } from '@troupe/client';
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { type Connection, useOfConnection } from './connection.js';
import { inFrame } from './frame.js';
import { useTroupe } from './provider.js';

export interface JobStreamOptions {
  /** False: nothing is watched. */
  enabled?: boolean | undefined;
  /** The job has ended: once for each run, also if it had ended before it was watched. What a connection does never counts. */
  onComplete?: ((job: Job & { terminal: true }) => void) | undefined;
  /** A state of a job that has not ended; every one that the page hears of. */
  onProgress?: ((job: Job & { terminal: false }) => void) | undefined;
}

export interface JobStream {
  /** Undefined until the first state is here. `job.status` tells its form. */
  job: Job | undefined;
  status: Status | undefined;
  progress: Progress | undefined;
  artifacts: readonly Artifact[];
  /** Why the job failed, or why an action of this hook or the stream was refused. */
  error: Failure | Problem | null;
  /** Where it stands while it waits. */
  place: Place | undefined;
  connection: Connection;
  /** The job may have gone on since; the last known state is shown. */
  isStale: boolean;
  /** Asks that it stops. Resolves with what went wrong, which is `error`, too. */
  cancel: (reason?: string) => Promise<Problem | null>;
  /** Runs it again, or now. Resolves with what went wrong, which is `error`, too. */
  retry: (reason?: string) => Promise<Problem | null>;
}

const noArtifacts: readonly Artifact[] = [];

/** One job, live. A change of another job does not render the caller; changes within a frame render it once. */
export function useJobStream(jobId: string | null | undefined, options: JobStreamOptions = {}): JobStream {
  const client = useTroupe();
  const id = (options.enabled ?? true) && jobId ? jobId : null;
  const job = useOfJob(client, id, readJob);
  const place = useOfJob(client, id, readPlace);
  const missing = useOfJob(client, id, readMissing) ?? false;
  const phase = useOfConnection(client, (state) => state.phase, 'idle');
  const fault = useOfConnection(client, (state) => state.fault !== null, false);
  const refusal = useOfConnection(client, (state) => state.problem, null);
  const [trouble, setTrouble] = useState<{ id: string; problem: Problem } | null>(null);

  const latest = useRef(options);
  const completed = useRef({ id: '', run: 0 });
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    if (id === null) return;
    try {
      return client.watchJob(id, {
        onChange: (one) => {
          if (one && !one.terminal) latest.current.onProgress?.(one);
        },
        onComplete: (one) => {
          if (completed.current.id === one.id && completed.current.run >= one.run) return;
          completed.current = { id: one.id, run: one.run };
          latest.current.onComplete?.(one);
        },
      });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      setTrouble({ id, problem });
    }
    return undefined;
  }, [client, id]);

  const act = useCallback(
    async (verb: typeof cancelJob, reason?: string): Promise<Problem | null> => {
      if (id === null) return null;
      setTrouble(null);
      try {
        await verb(client, id, reason);
        return null;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        setTrouble({ id, problem });
        return problem;
      }
    },
    [client, id],
  );
  const cancel = useCallback((reason?: string) => act(cancelJob, reason), [act]);
  const retry = useCallback((reason?: string) => act(retryJob, reason), [act]);

  const failure = trouble && trouble.id === id ? trouble.problem : (job?.error ?? null);
  return {
    job,
    status: job?.status,
    progress: job?.progress,
    artifacts: job?.artifacts ?? noArtifacts,
    error: failure ?? (missing && !job ? notFound : job ? null : refusal),
    place,
    connection: phase,
    isStale: job !== undefined && !job.terminal && (fault || phase === 'reconnecting' || phase === 'closed'),
    cancel,
    retry,
  };
}

const notFound = new Problem(404, 'not_found', 'the server knows no such job');
const readJob = (client: Troupe, id: string) => client.jobs.get(id);
const readPlace = (client: Troupe, id: string) => client.jobs.place(id);
const readMissing = (client: Troupe, id: string) => client.jobs.isMissing(id);

function useOfJob<T>(client: Troupe, id: string | null, read: (client: Troupe, id: string) => T): T | undefined {
  const watch = useCallback(
    (watcher: () => void) => {
      if (id === null) return () => undefined;
      const { tell, forget } = inFrame(watcher);
      const unwatch = client.jobs.watch(id, tell);
      return () => {
        unwatch();
        forget();
      };
    },
    [client, id],
  );
  return useSyncExternalStore(
    watch,
    () => (id === null ? undefined : read(client, id)),
    () => undefined,
  );
}
