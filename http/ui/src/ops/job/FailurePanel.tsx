import type { Failure } from '@troupe/client';
import type { ListedJob } from '../../api/listed';
import { object } from '../../json';
import { useJson } from '../ask';
import { CopyButton, Panel, visible, Words } from '../parts';
import { Link } from '../router';
import type { Transition } from './history';

/** Alike ones are counted up to this. */
const maxAlike = 50;

/** What went wrong, as the handler said it: untrusted text. */
export function FailurePanel({ job, error, history }: { job: ListedJob; error: Failure; history: readonly Transition[] }) {
  const stack = history.findLast(({ failure }) => failure !== null && failure.stack !== '')?.failure?.stack;
  return (
    <Panel title={job.status === 'failed' ? 'Why it failed' : 'What went wrong last'} actions={<CopyButton text={error.message} label="Copy error" />}>
      <div className="failure">
        <p className="failure-code">{visible(error.code)}</p>
        <p className="failure-words">
          <Words text={error.message} />
        </p>
        {error.fingerprint && <Alike fingerprint={error.fingerprint} failed={job.status === 'failed'} />}
        {stack && (
          <details>
            <summary>Stack</summary>
            <div className="failure-stack" tabIndex={0} role="region" aria-label="Stack">
              <Words text={stack} limit={20_000} />
            </div>
          </details>
        )}
      </div>
    </Panel>
  );
}

function Alike({ fingerprint, failed }: { fingerprint: string; failed: boolean }) {
  const { data } = useJson(`/v1/dead?${new URLSearchParams({ fingerprint, limit: String(maxAlike) })}`);
  const { jobs, next } = object(data);
  const count = (Array.isArray(jobs) ? jobs.length : 0) - (failed ? 1 : 0);
  return (
    <p className="hint">
      Fingerprint <span className="mono">{visible(fingerprint)}</span>
      {count > 0 && (
        <>
          , the same as{' '}
          <Link to={`/ops/jobs?${new URLSearchParams({ q: `status:failed fingerprint:${fingerprint}` })}`}>
            {next ? `${count} or more` : count} other failed {count === 1 ? 'job' : 'jobs'}
          </Link>
        </>
      )}
    </p>
  );
}
