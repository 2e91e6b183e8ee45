import type { Job } from '@troupe/client';
import { useStudio } from './context';

/** The stages of a job, with the one that it is in. Names are known only of those that were seen. */
export function StageRow({ job }: { job: Job }) {
  const { stages } = useStudio();
  const names = stages.of(job);
  const { stage, stageIndex, stageCount } = job.progress;
  if (names.length === 0) {
    return stage === '' ? null : (
      <p className="stages">
        <span className="stage" data-state="now">
          {stage}
        </span>
      </p>
    );
  }
  const done = job.status === 'completed';
  return (
    <ol
      className="stages"
      aria-label={stage ? `Stage ${stageIndex} of ${stageCount}: ${stage}` : `${stageCount} stages`}
    >
      {names.map((name, i) => {
        const isNow = i + 1 === stageIndex && !done;
        const state = isNow ? 'now' : done || i + 1 < stageIndex ? 'past' : 'future';
        return (
          <li key={i} className="stage" data-state={state} aria-current={isNow ? 'step' : undefined}>
            <span>{name ?? (isNow ? stage : '')}</span>
          </li>
        );
      })}
    </ol>
  );
}
