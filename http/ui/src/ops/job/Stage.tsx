import type { ListedJob } from '../../api/listed';
import { webUrl, previewOf } from '../../studio/media';
import { span } from '../../studio/words';
import { useSecond, visible } from '../parts';

const words: Record<ListedJob['status'], string> = {
  scheduled: 'Waits for its time',
  queued: 'In line',
  processing: 'Running',
  retrying: 'Will try again',
  cancelling: 'Stopping',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** The job at work: its screen fills with light as it goes on. */
export function Stage({ job }: { job: ListedJob }) {
  useSecond();
  const { progress } = job;
  const runs = job.status === 'processing' || job.status === 'cancelling';
  const pct = job.status === 'completed' ? 100 : progress.pct;
  const preview = previewOf(job);
  const left = runs && progress.etaMs !== null ? job.updatedAt + progress.etaMs - Date.now() : null;
  const eta = left === null ? '' : left < 1_500 ? 'nearly there' : `about ${span(left)} left`;
  return (
    <div
      className="job-stage"
      data-status={job.status}
      {...(!job.terminal && {
        role: 'progressbar',
        'aria-label': 'Progress',
        'aria-valuemin': 0,
        'aria-valuemax': 100,
        'aria-valuenow': Math.floor(pct),
      })}
    >
      {preview && webUrl(preview) && <img className="job-preview" src={preview} alt="" />}
      <div className="job-light" style={{ '--pct': pct } as React.CSSProperties} />
      <p className="job-word">{words[job.status]}</p>
      {(runs || (pct > 0 && pct < 100)) && <p className="job-percent">{Math.floor(pct)} %</p>}
      {job.status !== 'completed' && <p className="job-line">{[stageWords(job), eta].filter(Boolean).join(' · ')}</p>}
      {progress.note && job.status !== 'completed' && (
        <p className="job-line">
          <bdi>{visible(progress.note.slice(0, 300))}</bdi>
        </p>
      )}
    </div>
  );
}

function stageWords({ progress: { stage, stageIndex, stageCount } }: ListedJob): string {
  if (stage === '' || stageCount === 0) return visible(stage);
  return `${visible(stage)}, stage ${stageIndex} of ${stageCount}`;
}
