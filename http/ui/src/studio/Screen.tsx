import { useCallback, useSyncExternalStore } from 'react';
import type { Brief } from '../api';
import { cancelWords } from '../api/cancel';
import { useWatched } from '../watch';
import type { Shown } from './advance';
import { useNow, useStudio } from './context';
import { previewOf } from './media';
import { Result } from './Result';
import { failureWords, percent, span, statusWords, waitingWords } from './words';

/** The picture of a card: it fills with light while the job runs, and then plays what came of it. */
export function Screen({ shown, brief, title }: { shown: Shown; brief: Brief | undefined; title: string }) {
  const { job } = shown;
  switch (job.status) {
    case 'completed':
      return <Result job={job} brief={brief} title={title} />;
    case 'failed':
      return (
        <div className="screen">
          <p className="screen-words">{failureWords(job)}</p>
          <p className="screen-note">We kept your prompt.</p>
        </div>
      );
    case 'cancelled':
      return (
        <div className="screen">
          <p className="screen-words">Cancelled</p>
          {job.cancel?.reason && (
            <p className="screen-note">
              <bdi>{cancelWords(job)}</bdi>
            </p>
          )}
        </div>
      );
    default:
      return <Filling shown={shown} title={title} />;
  }
}

function Filling({ shown, title }: { shown: Shown; title: string }) {
  const { job, pct, doneAt } = shown;
  const studio = useStudio();
  const { clock, connection } = studio;
  const place = useSyncExternalStore(
    useCallback((watcher) => studio.client.jobs.watch(job.id, watcher), [studio, job.id]),
    () => studio.client.jobs.place(job.id),
  );
  const { phase } = useWatched(connection);
  const isHeard = phase === 'live' || phase === 'polling';
  const now = useNow(doneAt !== null || job.status === 'retrying' || job.status === 'scheduled');
  const preview = previewOf(job);
  const runs = job.status === 'processing' || job.status === 'cancelling';
  const left = doneAt === null || !isHeard ? null : doneAt - now; // unheard of, it may not run at all
  const note = runs ? cancelWords(job) || runningNote(job.progress.note, left) : waitingWords(job, place, now, (at) => clock.local(at));
  const text = runs ? `${percent(pct)}${note && `, ${note}`}` : note;
  return (
    <div
      className="screen filling"
      data-status={job.status}
      role="progressbar"
      aria-label={`Progress of ${title}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(pct)}
      aria-valuetext={`${statusWords[job.status]}, ${text}`}
    >
      {preview && <img className="preview" src={preview} alt="" />}
      <div className="light" style={{ '--pct': pct } as React.CSSProperties} />
      {runs || pct > 0 ? (
        <div className="reading">
          <p className="screen-percent">{percent(pct)}</p>
          <p className="screen-note">{note}</p>
        </div>
      ) : (
        <p className="screen-words">{note}</p>
      )}
    </div>
  );
}

function runningNote(note: string, left: number | null): string {
  const eta = left === null ? '' : left < 1_500 ? 'nearly there' : `about ${span(left)} left`;
  return [note, eta].filter(Boolean).join(' · ');
}
