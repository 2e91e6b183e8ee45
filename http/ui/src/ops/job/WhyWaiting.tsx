import type { ListedJob } from '../../api/listed';
import { object, text } from '../../json';
import { usePlaceInLine } from '../live/hooks';
import { sendForJson, useAsk } from '../ask';
import { Panel, Words } from '../parts';
import { placeWords } from './words';

/** The server's sentence is asked for again after this, while the stream tells the place. */
const everyMs = 5_000;

/** Why a job does not run, in a sentence. */
export function WhyWaiting({ job }: { job: ListedJob }) {
  const waits = job.status === 'queued' || job.status === 'scheduled' || job.status === 'retrying';
  const place = usePlaceInLine(job.id);
  const key = waits ? `${job.id}/${job.status}/${job.attempt.n}` : null;
  const { data } = useAsk(key, (signal) => sendForJson(`/v1/jobs/${job.id}/waiting`, { signal }), { everyMs });
  if (!waits) return null;
  const said = text(object(data).text);
  const line = placeWords(place ?? null, job.attempt.nextAt ?? job.runAt, Date.now());
  return (
    <Panel title="Why is it waiting?">
      <p className="why">{said ? <Words text={said} limit={600} /> : `${line}.`}</p>
      {said && place && <p className="hint">{line}</p>}
    </Panel>
  );
}
