import type { ReactNode } from 'react';
import { cancelWords } from '../../api/cancel';
import type { ListedJob } from '../../api/listed';
import { Chip, Duration, Time, visible } from '../parts';
import { Link } from '../router';

/** What there is to know of a job beside its work. */
export function Facts({ job }: { job: ListedJob }) {
  const { attempt } = job;
  const ran = job.startedAt !== null;
  return (
    <dl className="facts sheet">
      <Fact name="Attempt">{attempt.n === 0 ? `none yet, of ${attempt.max}` : `${attempt.n} of ${attempt.max}`}</Fact>
      {job.crashes > 0 && (
        <Fact name="Lost with its node">
          <Chip tone="bad">
            {job.crashes} {job.crashes === 1 ? 'time' : 'times'}
          </Chip>
        </Fact>
      )}
      {job.cancel && (
        <Fact name="Cancel">
          <Chip tone="warm">
            <bdi>{visible(cancelWords(job))}</bdi>
          </Chip>
        </Fact>
      )}
      {job.run > 1 && <Fact name="Life">{job.run}</Fact>}
      {job.node && <Fact name="Node">{visible(job.node)}</Fact>}
      <Fact name="Made">
        <Time at={job.createdAt} />
      </Fact>
      <Fact name="Started">{ran ? <Time at={job.startedAt} /> : <span className="none">not yet</span>}</Fact>
      {job.terminal ? (
        <Fact name="Ended">
          <Time at={job.finishedAt} />
        </Fact>
      ) : (
        <Fact name="Changed">
          <Time at={job.updatedAt} />
        </Fact>
      )}
      <Fact name="Whole time">
        <Duration from={job.createdAt} to={job.finishedAt} />
      </Fact>
      <Fact name="Priority">{job.priority}</Fact>
      {job.owner && <Fact name="Owner">{filter('owner', job.owner)}</Fact>}
      {job.batch && <Fact name="Batch">{filter('batch', job.batch)}</Fact>}
      {job.group && <Fact name="Group">{filter('group', job.group)}</Fact>}
      {job.tags.length > 0 && (
        <Fact name="Tags">
          <span className="fact-tags">
            {job.tags.map((tag) => (
              <span key={tag}>{filter('tag', tag)}</span>
            ))}
          </span>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Leads to its like. */
function filter(name: string, value: string): ReactNode {
  return <Link to={`/ops/jobs?${new URLSearchParams({ q: `${name}:${value}` })}`}>{visible(value)}</Link>;
}
