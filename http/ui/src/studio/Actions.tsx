import { useRef, useState } from 'react';
import type { Brief } from '../api';
import type { Job } from '../stream';
import { useWatched } from '../stream/react';
import { useNow, useStudio } from './context';
import { mediaOf } from './media';
import { bytes, problemWords, span } from './words';

interface Props {
  job: Job;
  brief: Brief | undefined;
  title: string;
  onReuse(brief: Brief): void;
}

/** What can be done with a job. The first button changes its meaning in place, so that the focus stays on it. */
export function Actions({ job, brief, title, onReuse }: Props) {
  const trouble = useWatched(useStudio().troubles).get(job.id);
  const media = job.status === 'completed' ? mediaOf(job, brief) : null;
  return (
    <div className="actions">
      {job.status === 'completed' ? null : <MainAction job={job} title={title} />}
      {media && media.type !== 'link' && (
        <a className="quiet" href={media.url} download aria-label={`Download ${title}`}>
          Download{media.bytes !== null && <span className="hint"> {bytes(media.bytes)}</span>}
        </a>
      )}
      {job.terminal && brief && (
        <button type="button" className="quiet" aria-label={`Use the prompt of ${title} again`} onClick={() => onReuse(brief)}>
          Use prompt
        </button>
      )}
      <p className="error" role="alert">
        {trouble && problemWords(trouble)}
      </p>
    </div>
  );
}

function MainAction({ job, title }: { job: Job; title: string }) {
  const studio = useStudio();
  const deadline = useWatched(studio.cancels.pending).get(job.id);
  const now = useNow(deadline !== undefined);
  const [busy, setBusy] = useState(false);
  const inFlight = useRef(false);

  async function retry(): Promise<void> {
    if (inFlight.current) return;
    inFlight.current = true;
    setBusy(true);
    await studio.retry(job.id);
    inFlight.current = false;
    setBusy(false);
  }

  if (job.terminal) {
    const verb = job.status === 'cancelled' ? 'Make it after all' : 'Try again';
    return (
      <button type="button" className="quiet strong" aria-label={`${verb}: ${title}`} aria-disabled={busy} onClick={retry}>
        {busy ? 'Asking…' : verb}
      </button>
    );
  }
  if (deadline !== undefined) {
    return (
      <button type="button" className="quiet strong" aria-label={`Keep making ${title}`} onClick={() => studio.cancels.undo(job.id)}>
        Undo cancel <span className="hint">{span(deadline - now)}</span>
      </button>
    );
  }
  const stopping = job.status === 'cancelling';
  return (
    <button
      type="button"
      className="quiet"
      aria-label={`Cancel ${title}`}
      aria-disabled={stopping}
      onClick={() => stopping || studio.cancels.ask(job.id)}
    >
      {stopping ? 'Stopping…' : 'Cancel'}
    </button>
  );
}
