import { age, count, rate } from '../figures';
import { Chip, Sparkline, Time, Words } from '../parts';
import { Link } from '../router';
import { Concurrency } from './Concurrency';
import { Meter } from './Meter';
import { askToPause, resumeNow } from './pausing';
import type { Queue } from './queues';

/** One queue: how it stands, and what can be set. */
export function QueueCard({ queue, flow, onChange }: { queue: Queue; flow: readonly number[]; onChange(): void }) {
  const { name, paused } = queue;
  return (
    <li className="sheet queue-card" data-queue={name} data-paused={paused} tabIndex={-1}>
      <div className="queue-card-head">
        <h2>{name}</h2>
        {paused && <Chip tone="warm">paused</Chip>}
        {!paused && queue.running >= queue.slots && queue.waiting > 0 && <Chip tone="warm">full</Chip>}
        <span className="hint queue-durability">
          {queue.durability === 'store' ? 'accepted when the database has it' : 'accepted when the inbox has it'}
          {queue.updatedAt !== null && !paused && (
            <>
              , set <Time at={queue.updatedAt} />
            </>
          )}
        </span>
        <Link className="quiet" to={`/ops/jobs?q=${encodeURIComponent(`queue:${name}`)}`} aria-label={`Jobs of ${name}`}>
          Jobs
        </Link>
        <button
          type="button"
          className={paused ? 'quiet strong' : 'quiet'}
          onClick={() => (paused ? void resumeNow(queue, onChange) : askToPause(queue, onChange))}
          aria-label={`${paused ? 'Resume' : 'Pause'} ${name}`}
        >
          {paused ? 'Resume' : 'Pause…'}
        </button>
      </div>
      {paused && (
        <p className="queue-reason">
          Paused <Time at={queue.updatedAt} />
          {queue.reason ? (
            <>
              : <Words text={queue.reason} limit={300} />
            </>
          ) : (
            ', without a reason'
          )}
        </p>
      )}
      <div className="queue-body">
        <dl className="queue-figures">
          <div className="queue-runs">
            <dt>Running</dt>
            <dd>
              {count(queue.running)} <small>of {count(queue.slots)}</small>
              <Meter value={queue.running} max={queue.slots} label={`Running in ${name}`} />
            </dd>
          </div>
          <div>
            <dt>Waiting</dt>
            <dd>{count(queue.waiting)}</dd>
          </div>
          <div>
            <dt>Oldest</dt>
            <dd>{queue.oldestAgeS === null ? <span className="none">–</span> : age(queue.oldestAgeS)}</dd>
          </div>
          <div>
            <dt>Delayed</dt>
            <dd>{count(queue.delayed)}</dd>
          </div>
          <div>
            <dt>Dead</dt>
            <dd>{queue.dead === 0 ? '0' : <Link to={`/ops/dead?queue=${encodeURIComponent(name)}`}>{count(queue.dead)}</Link>}</dd>
          </div>
          {queue.rates && (
            <div className="queue-ends">
              <dt>Ended a second</dt>
              <dd>
                {rate(queue.rates.completed + queue.rates.failed)}
                {queue.rates.failed > 0 && <small className="bad"> {rate(queue.rates.failed)} failed</small>}
                {flow.some((n) => n > 0) && <Sparkline values={flow} label={`Ended a second in ${name}, last two minutes`} tone={queue.rates.failed > 0 ? 'bad' : 'good'} />}
              </dd>
            </div>
          )}
        </dl>
        <Concurrency queue={queue} onChange={onChange} />
      </div>
    </li>
  );
}
