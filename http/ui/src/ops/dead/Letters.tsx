import { useState } from 'react';
import { retryJob } from '../../api';
import { Problem, send, useAsk } from '../ask';
import { type Column, confirm, ErrorState, Loading, problemTitle, say, Table, Time, Words } from '../parts';
import { Link, navigate } from '../router';
import { type DeadJob, type Filter, type Group, getLetters, pageSize, whomOf } from './groups';

/** The jobs of a group, newest first, some at a time. */
export function Letters({ group, filter, onChange }: { group: Group; filter: Filter; onChange(): void }) {
  const by = whomOf(group, filter);
  const [size, setSize] = useState(pageSize);
  const { data, problem, reload } = useAsk(`letters ${JSON.stringify(by)} ${size} ${group.count}`, (signal) => getLetters(by, null, size, signal));
  const [kept, setKept] = useState(data);
  if (data !== undefined && data !== kept) setKept(data);
  const page = data ?? kept;
  if (problem) return <ErrorState problem={problem} onRetry={reload} />;
  if (page === undefined) return <Loading rows={3} />;

  async function act(job: DeadJob, verb: 'retry' | 'delete'): Promise<void> {
    if (verb === 'delete' && !(await confirm({ title: 'Delete this job?', body: `${job.id} goes, with its history and files.`, action: 'Delete the job', danger: true }))) return;
    try {
      if (verb === 'retry') await retryJob(job.id);
      else await send(`/v1/jobs/${job.id}`, { method: 'DELETE' });
      say(verb === 'retry' ? 'The job has a new life' : 'The job is deleted', { tone: 'good' });
      reload();
      onChange();
    } catch (failed) {
      say(failed instanceof Problem ? problemTitle(failed) : 'That did not work', { tone: 'bad' });
    }
  }

  const columns: Column<DeadJob>[] = [
    {
      id: 'id',
      title: 'Job',
      cell: (job) => (
        <Link to={`/ops/jobs/${job.id}`} className="mono" title={job.id}>
          {job.id.slice(0, 13)}…
        </Link>
      ),
    },
    { id: 'message', title: 'Error', grow: true, cell: (job) => <Words text={job.message} limit={200} /> },
    { id: 'owner', title: 'Owner', wide: true, cell: (job) => (job.owner ? <Words text={job.owner} /> : <span className="none">–</span>) },
    { id: 'attempts', title: 'Attempts', align: 'end', wide: true, cell: (job) => (job.crashes > 0 ? `${job.attempt} + ${job.crashes} crashes` : job.attempt) },
    { id: 'ended', title: 'Failed', wide: true, cell: (job) => <Time at={job.endedAt} /> },
    {
      id: 'act',
      title: <span className="unseen">Actions</span>,
      align: 'end',
      cell: (job) => (
        <span className="letter-actions">
          <button type="button" className="quiet" onClick={() => void act(job, 'retry')} aria-label={`Retry ${job.id}`}>
            Retry
          </button>
          <button type="button" className="quiet" onClick={() => void act(job, 'delete')} aria-label={`Delete ${job.id}`}>
            Delete
          </button>
        </span>
      ),
    },
  ];
  return (
    <>
      <div className="scroll">
        <Table label={`Jobs that failed alike, of ${group.kind}`} columns={columns} rows={page.jobs} keyOf={(job) => job.id} onOpen={(job) => navigate(`/ops/jobs/${job.id}`)} />
      </div>
      {page.next !== null && (
        <p className="letters-more">
          {size < 200 ? (
            <button type="button" className="quiet" onClick={() => setSize(Math.min(200, size * 2))}>
              Show more
            </button>
          ) : (
            <Link to={`/ops/jobs?q=${encodeURIComponent(`status:failed kind:${group.kind} ${group.queue && `queue:${group.queue}`}`.trim())}`}>All of them among the jobs</Link>
          )}
        </p>
      )}
    </>
  );
}
