import { memo, useCallback, useId, useSyncExternalStore } from 'react';
import type { Brief } from '../api';
import type { Job } from '@troupe/client';
import { useJob } from './useJob';
import { Actions } from './Actions';
import { useNow, useStudio } from './context';
import type { Draft } from './drafts';
import { Screen } from './Screen';
import { StageRow } from './StageRow';
import { ago, attemptWords, statusWords, titleOf } from './words';

function useBrief(id: string): Brief | undefined {
  const { briefs } = useStudio();
  const watch = useCallback((watcher: () => void) => briefs.watch(id, watcher), [briefs, id]);
  return useSyncExternalStore(watch, () => briefs.get(id));
}

interface Props {
  id: string | null;
  draft: Draft | null;
  onReuse(brief: Brief): void;
}

/** One job, or an order that is about to be one. Renders when its own job changes and not when others do. */
export const Card = memo(function Card({ id, draft, onReuse }: Props) {
  if (draft !== null) return <DraftCard draft={draft} />;
  return id === null ? null : <JobCard id={id} onReuse={onReuse} />;
});

function DraftCard({ draft }: { draft: Draft }) {
  return (
    <article className="card" data-status="sending" aria-label={draft.video.prompt}>
      <div className="screen filling" data-status="sending">
        <p className="screen-words">Sending</p>
      </div>
      <div className="card-body">
        <h3 className="prompt">{draft.video.prompt}</h3>
        <p className="meta">
          <span className="status">Sending</span>
        </p>
      </div>
    </article>
  );
}

function JobCard({ id, onReuse }: { id: string; onReuse(brief: Brief): void }) {
  const studio = useStudio();
  const shown = useJob(studio.jobs, id);
  const brief = useBrief(id);
  const heading = useId();
  if (shown === undefined) return null;
  const { job } = shown;
  const title = titleOf(brief);
  return (
    <article className="card" data-status={job.status} aria-labelledby={heading}>
      <Screen shown={shown} brief={brief} title={title} />
      <div className="card-body">
        <h3 className="prompt" id={heading} title={title}>
          {brief === undefined ? <span className="blank">Untitled video</span> : title}
        </h3>
        <Meta job={job} brief={brief} />
        {!job.terminal && <StageRow job={job} />}
        {job.error && !job.terminal && <p className="last-error">{job.error.message}</p>}
        {job.status === 'failed' && job.error?.message && (
          <details className="reason">
            <summary>What the renderer said</summary>
            <p>{job.error.message}</p>
          </details>
        )}
        <Actions job={job} brief={brief} heading={heading} onReuse={onReuse} />
      </div>
    </article>
  );
}

function Meta({ job, brief }: { job: Job; brief: Brief | undefined }) {
  const { clock } = useStudio();
  const now = useNow(false);
  const attempt = attemptWords(job);
  return (
    <p className="meta">
      <span className="status">{statusWords[job.status]}</span>
      {attempt && <span>{attempt}</span>}
      {brief?.duration != null && <span>{brief.duration} s long</span>}
      {job.terminal && job.createdAt > 0 && (
        <time dateTime={new Date(job.createdAt).toISOString()}>{ago(now - clock.local(job.createdAt))}</time>
      )}
    </p>
  );
}
