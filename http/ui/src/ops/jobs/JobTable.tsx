import { cancelWords } from '../../api/cancel';
import { cancelJob, retryJob } from '../../api';
import type { ListedJob } from '../../api/listed';
import { usePlaceInLine } from '../live/hooks';
import { Badge, type Column, Duration, Table, Time, visible } from '../parts';
import { Link, navigate } from '../router';
import { act } from '../job/act';
import { placeWords } from '../job/words';

const columns: readonly Column<ListedJob>[] = [
  { id: 'status', title: 'Status', cell: ({ status }) => <Badge status={status} /> },
  { id: 'job', title: 'Job', cell: (job) => <Name job={job} /> },
  { id: 'now', title: 'What it does', grow: true, wide: true, cell: (job) => <Now job={job} /> },
  { id: 'queue', title: 'Queue', wide: true, cell: ({ queue }) => visible(queue) },
  { id: 'attempt', title: 'Attempt', align: 'end', wide: true, cell: ({ attempt: { n, max } }) => (n === 0 ? <span className="none">–</span> : `${n} of ${max}`) },
  { id: 'took', title: 'Took', align: 'end', wide: true, cell: (job) => <Took job={job} /> },
  { id: 'made', title: 'Made', align: 'end', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

export function JobTable({ rows, onChanged }: { rows: readonly ListedJob[]; onChanged?(): void }) {
  return (
    <Table
      label="Jobs, newest first"
      columns={columns}
      rows={rows}
      keyOf={(job) => job.id}
      onOpen={(job) => navigate(`/ops/jobs/${job.id}`)}
      toneOf={(job) => (job.status === 'failed' ? 'bad' : job.status === 'retrying' ? 'warm' : undefined)}
      keys={{
        r: (job) => void act('Asked to run again', () => retryJob(job.id)).then(onChanged),
        c: (job) => void act('Asked to cancel', () => cancelJob(job.id)).then(onChanged),
      }}
    />
  );
}

function Name({ job }: { job: ListedJob }) {
  return (
    <Link className="job-name" to={`/ops/jobs/${job.id}`}>
      <span className="job-kind">{visible(job.kind)}</span>
      <span className="job-id mono">{job.id.slice(-12)}</span>
      <span className="job-brief">{brief(job)}</span>
    </Link>
  );
}

/** What there is no column for on a narrow screen. */
function brief({ status, progress, error }: ListedJob): string {
  if (status === 'processing' || status === 'cancelling') return `${Math.floor(progress.pct)} % ${visible(progress.stage)}`;
  return error ? visible(error.message.slice(0, 60)) : '';
}

function Now({ job }: { job: ListedJob }) {
  switch (job.status) {
    case 'processing':
    case 'cancelling':
      return (
        <span className="job-now">
          <Bar job={job} />
          <span className="job-note">
            {job.cancel && <bdi>{visible(cancelWords(job))} </bdi>}
            {job.progress.stage && <b>{visible(job.progress.stage)}</b>} <bdi>{visible(job.progress.note.slice(0, 200))}</bdi>
          </span>
        </span>
      );
    case 'queued':
    case 'scheduled':
      return <Place job={job} />;
    case 'retrying':
    case 'failed':
      return job.error ? (
        <span className="job-error">
          <b>{visible(job.error.code)}</b> <bdi>{visible(job.error.message.slice(0, 300))}</bdi>
        </span>
      ) : null;
    default:
      return <bdi className="hint">{visible(cancelWords(job) || job.progress.note.slice(0, 200))}</bdi>;
  }
}

function Place({ job }: { job: ListedJob }) {
  const place = usePlaceInLine(job.id);
  return <span className="hint">{placeWords(place ?? null, job.runAt, Date.now())}</span>;
}

/** Drawn by what it is, and said in numbers. */
export function Bar({ job }: { job: Pick<ListedJob, 'progress' | 'id'> }) {
  const pct = Math.floor(job.progress.pct);
  return (
    <>
      <span className="bar" role="progressbar" aria-label="Progress" aria-valuemin={0} aria-valuemax={100} aria-valuenow={pct}>
        <span style={{ '--pct': job.progress.pct } as React.CSSProperties} />
      </span>
      <span className="bar-number">{pct} %</span>
    </>
  );
}

function Took({ job }: { job: ListedJob }) {
  if (job.status === 'processing' || job.status === 'cancelling') return <Duration from={job.startedAt} />;
  if (job.startedAt === null || job.finishedAt === null) return <span className="none">–</span>;
  return <Duration ms={job.finishedAt - job.startedAt} />;
}
