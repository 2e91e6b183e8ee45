import { useEffect, useRef } from 'react';
import { useStudio } from './context';
import { endWords } from './words';

/** A message stays this long, so that a screen reader is not cut off by the next. */
const pauseMs = 5_000;

/** Tells a screen reader, once and politely, when a job has ended. Several ends in a row become one message. */
export function Announcer() {
  const studio = useStudio();
  const region = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    let waiting: string[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = () => {
      timer = undefined;
      if (region.current) region.current.textContent = waiting.join('. ');
      if (waiting.length > 0) timer = setTimeout(say, pauseMs);
      waiting = [];
    };
    const unwatch = studio.ended.watch(() => {
      const job = studio.ended.get();
      if (job === null) return;
      waiting.push(endWords(job, studio.briefs.get(job.id)));
      timer ??= setTimeout(say, 0);
    });
    return () => {
      unwatch();
      clearTimeout(timer);
    };
  }, [studio]);
  return <p ref={region} className="unseen" role="status" aria-live="polite" />;
}
