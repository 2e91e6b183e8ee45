/** A page of somebody who uses the hooks, for tests in a browser: it shows jobs and writes down what it was told of them. */

import type { Job } from '@troupe/client';
import { TroupeProvider, useConnection, useJobStream, useTroupe } from '@troupe/react';
import { StrictMode, useEffect, version } from 'react';
import { createRoot } from 'react-dom/client';

const seen = {
  react: version,
  /** How often an effect of a card has run. */
  mounts: {} as Record<string, number>,
  completed: [] as { id: string; run: number; status: string }[],
  /** Every state that the client took, in order. */
  states: [] as { id: string; rev: number; run: number; attempt: number; pct: number; status: string }[],
  phases: [] as string[],
};
Object.assign(window, { seen });

const parameters = new URLSearchParams(location.search);
const ids = (parameters.get('jobs') ?? '').split(',').filter(Boolean);

function Card({ id }: { id: string }) {
  const { job, retry } = useJobStream(id, {
    onComplete: ({ run, status }) => seen.completed.push({ id, run, status }),
  });
  useEffect(() => {
    seen.mounts[id] = (seen.mounts[id] ?? 0) + 1;
  }, [id]);
  return (
    <li data-job={id} data-status={job?.status} data-run={job?.run} data-pct={job?.progress.pct}>
      <button type="button" onClick={() => void retry()}>
        Again
      </button>
    </li>
  );
}

function Notes() {
  const client = useTroupe();
  const { phase } = useConnection().state;
  useEffect(() => {
    const last = new Map<string, Job>();
    return client.jobs.watchAll(() => {
      for (const job of client.jobs.all()) {
        if (last.get(job.id) === job) continue;
        last.set(job.id, job);
        const { id, rev, run, attempt, progress, status } = job;
        seen.states.push({ id, rev, run, attempt: attempt.n, pct: progress.pct, status });
      }
    });
  }, [client]);
  useEffect(() => {
    seen.phases.push(phase);
  }, [phase]);
  return <p data-phase={phase} />;
}

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <TroupeProvider shareAcrossTabs={parameters.has('share')}>
        <Notes />
        <ul>
          {ids.map((id) => (
            <Card key={id} id={id} />
          ))}
        </ul>
      </TroupeProvider>
    </StrictMode>,
  );
