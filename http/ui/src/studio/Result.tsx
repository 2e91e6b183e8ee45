import { useEffect, useState } from 'react';
import type { Brief } from '../api';
import type { Job } from '@troupe/client';
import { useWatched } from '../watch';
import { useStudio } from './context';
import { mediaOf } from './media';

/** What came of a job. */
export function Result({ job, brief, title }: { job: Job; brief: Brief | undefined; title: string }) {
  const [broken, setBroken] = useState<string | null>(null);
  const { phase } = useWatched(useStudio().connection);
  useEffect(() => {
    if (phase === 'live') setBroken(null); // it may have been the network
  }, [phase]);
  const media = mediaOf(job, brief);
  if (media === null) {
    return (
      <div className="screen">
        <p className="screen-words">{brief ? 'Finished, with nothing to show' : 'Finished'}</p>
      </div>
    );
  }
  if (media.type === 'link') {
    return (
      <div className="screen">
        <p className="screen-words">The video is kept in another place</p>
        <a className="screen-link" href={media.url} target="_blank" rel="noreferrer noopener">
          Open {new URL(media.url).host}
        </a>
      </div>
    );
  }
  if (broken === media.url) {
    return (
      <div className="screen">
        <p className="screen-words">This can’t be shown here</p>
        <p className="screen-note">It can still be downloaded.</p>
      </div>
    );
  }
  const onError = () => setBroken(media.url);
  return (
    <div className="screen result">
      {media.type === 'image' ? (
        <img src={media.url} alt={title} loading="lazy" onError={onError} />
      ) : (
        // No captions: what is generated has no speech.
        <video
          src={media.url}
          poster={media.poster ?? undefined}
          aria-label={title}
          playsInline
          controls
          preload="metadata"
          onError={onError}
        />
      )}
    </div>
  );
}
