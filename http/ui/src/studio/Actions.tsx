import { useRef, useState } from 'react';
import type { Brief } from '../api';
import type { Job } from '@troupe/client';
import { useWatched } from '../watch';
import { useNow, useStudio } from './context';
import { mediaOf } from './media';
import { bytes, problemWords, span } from './words';

interface Props {
  job: Job;
  brief: Brief | undefined;
  /** The id of the element that says which job it is, for those who hear the buttons and don't see the card. */
  heading: string;
  onReuse(brief: Brief): void;
}

/** What can be done with a job. The first button changes its meaning in place, so that the focus stays on it. */
export function Actions({ job, brief, heading, onReuse }: Props) {
  const trouble = useWatched(useStudio().troubles).get(job.id);
  const media = job.status === 'completed' ? mediaOf(job, brief) : null;
  return (
    <div className="actions">
      {job.status === 'completed' ? null : <MainAction job={job} heading={heading} />}
      {media && media.type !== 'link' && (
        <a className="quiet" href={media.url} download aria-describedby={heading}>
          Download{media.bytes !== null && <span className="hint"> {bytes(media.bytes)}</span>}
        </a>
      )}
      {job.terminal && brief && (
        <button type="button" className="quiet" aria-describedby={heading} onClick={() => onReuse(brief)}>
          Use prompt
        </button>
      )}
      <p className="error" role="alert">
        {trouble && problemWords(trouble)}
      </p>
    </div>
  );
}

function MainAction({ job, heading }: { job: Job; heading: string }) {
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
    const verb = job.status === 'cancelled' ? 'Make it' : 'Try again';
    return (
      <button type="button" className="quiet strong" aria-describedby={heading} aria-disabled={busy} onClick={retry}>
        {busy ? 'Asking…' : verb}
      </button>
    );
  }
  if (deadline !== undefined) {
    return (
      <button
        type="button"
        className="quiet strong"
        aria-describedby={heading}
        onClick={() => studio.cancels.undo(job.id)}
      >
        Undo cancel{' '}
        <span className="hint" aria-hidden="true">
          {span(deadline - now)}
        </span>
      </button>
    );
  }
  const stopping = job.status === 'cancelling';
  return (
    <button
      type="button"
      className="quiet"
      aria-describedby={heading}
      aria-disabled={stopping}
      onClick={() => stopping || studio.cancels.ask(job.id)}
    >
      {stopping ? 'Stopping…' : 'Cancel'}
    </button>
  );
}
