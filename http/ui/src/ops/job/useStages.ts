import type { Job } from '@troupe/client';
import { useEffect, useState } from 'react';

/** A stage of the running attempt, as this page saw it go by: the history does not keep them. */
export interface SeenStage {
  name: string;
  from: number;
  to: number | null;
}

const maxStages = 50;

export function useStages(job: Job | null): readonly SeenStage[] {
  const [seen, setSeen] = useState<{ of: string; stages: readonly SeenStage[] }>({ of: '', stages: [] });
  const of = job ? `${job.id}/${job.run}/${job.attempt.n}` : '';
  const stage = job?.status === 'processing' ? job.progress.stage : '';
  const at = job?.updatedAt ?? 0;
  useEffect(() => {
    setSeen((was) => {
      const stages = was.of === of ? was.stages : [];
      const open = stages.at(-1);
      if (open?.to === null && open.name === stage) return was;
      const closed = stages.map((one) => (one.to === null ? { ...one, to: at } : one));
      const next = stage === '' ? closed : [...closed, { name: stage, from: at, to: null }];
      return { of, stages: next.slice(-maxStages) };
    });
    // `at` is when the stage was first seen: its later values are of the same stage.
  }, [of, stage]);
  return seen.of === of ? seen.stages : [];
}
