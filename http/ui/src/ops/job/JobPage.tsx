import { useState } from 'react';
import { cancelJob, retryJob } from '../../api';
import type { ListedJob } from '../../api/listed';
import { useCommands } from '../frame/commands';
import { useKeys } from '../frame/keys';
import { Badge, confirm, CopyButton, EmptyState, ErrorState, JsonViewer, Loading, Page, Panel, useTitle, visible } from '../parts';
import { Link } from '../router';
import type { RoomProps } from '../rooms';
import { previewOf } from '../../studio/media';
import { act } from './act';
import { Artifacts } from './Artifacts';
import { curlOf } from './curl';
import { FailurePanel } from './FailurePanel';
import { Facts } from './Facts';
import { HistoryTable } from './HistoryTable';
import { timelineOf } from './history';
import './job.css';
import { LogView } from './LogView';
import { OutputView } from './OutputView';
import { Stage } from './Stage';
import { TimelineView } from './TimelineView';
import { type Detail, useDetail } from './useDetail';
import { useLog, useOutput } from './useLines';
import { useStages } from './useStages';
import { WhyWaiting } from './WhyWaiting';

export default function JobPage({ params }: RoomProps) {
  const id = params.id ?? '';
  const { asked, job, history } = useDetail(id);
  useTitle(job ? `${job.kind} ${job.id.slice(-12)}` : 'Job');
  if (job === null || !asked.data) {
    return (
      <Page title="Job" lead={<span className="mono">{visible(id)}</span>}>
        {asked.problem?.status === 404 ? (
          <EmptyState title="No such job">
            It was never here, or it was purged. <Link to="/ops/jobs">All jobs</Link>
          </EmptyState>
        ) : asked.problem ? (
          <ErrorState problem={asked.problem} onRetry={asked.reload} />
        ) : (
          <Loading rows={10} />
        )}
      </Page>
    );
  }
  return <Whole job={job} detail={asked.data} history={history} />;
}

function Whole({ job, detail, history }: { job: ListedJob; detail: Detail; history: ReturnType<typeof useDetail>['history'] }) {
  const stages = useStages(job);
  const log = useLog(job.id, job.run);
  const output = useOutput(job.id, job.run);
  const timeline = timelineOf(history.data ?? []);
  const actions = useActions(job);
  return (
    <Page
      title={visible(job.kind)}
      lead={
        <>
          <span className="mono">{job.id}</span> in{' '}
          <Link to={`/ops/jobs?${new URLSearchParams({ q: `queue:${job.queue}` })}`}>{visible(job.queue)}</Link>
        </>
      }
      actions={
        <>
          <Badge status={job.status} />
          {actions.map(({ title, run }, i) => (
            <button key={title} type="button" className={i === 0 ? 'quiet strong' : 'quiet'} onClick={run}>
              {title}
            </button>
          ))}
          <CopyButton words="Copy id" text={job.id} />
          <CopyButton words="Copy as curl" text={() => curlOf(job, detail.payload, location.origin)} />
        </>
      }
    >
      <div className="job-top" data-small={job.status !== 'processing' && job.status !== 'cancelling' && previewOf(job) === null}>
        <Stage job={job} />
        <Facts job={job} />
      </div>
      {!job.terminal && <WhyWaiting job={job} />}
      {job.error && <FailurePanel job={job} error={job.error} history={history.data ?? []} />}
      {timeline && (
        <Panel title="Time">
          <TimelineView timeline={timeline} stages={stages} />
          <HistoryTable history={history.data ?? []} />
        </Panel>
      )}
      {job.artifacts.length > 0 && (
        <Panel title="Artifacts">
          <Artifacts key={job.artifacts.length} artifacts={job.artifacts} />
        </Panel>
      )}
      {!log.absent && (log.lines.length > 0 || job.status === 'processing') && (
        <Panel title="Log">
          <LogView lines={log.lines} live={!log.done} />
        </Panel>
      )}
      {!output.absent && output.lines.length > 0 && (
        <Panel title="Output">
          <OutputView chunks={output.lines} />
        </Panel>
      )}
      <div className="job-data">
        {(['payload', 'result', 'checkpoint'] as const).map((name) => {
          const node = detail[name];
          return (
            node && (
              <Panel key={name} title={name.charAt(0).toUpperCase() + name.slice(1)}>
                <JsonViewer source={node} label={name.charAt(0).toUpperCase() + name.slice(1)} />
              </Panel>
            )
          );
        })}
      </div>
    </Page>
  );
}

interface Action {
  title: string;
  run(): void;
}

/** What can be done with the job now, by button, key and palette. */
function useActions(job: ListedJob): Action[] {
  const [asking, setAsking] = useState(false);
  async function cancel(): Promise<void> {
    if (asking) return;
    setAsking(true);
    const yes = await confirm({
      title: 'Cancel this job?',
      body: job.status === 'processing' ? 'It runs at the moment: it is told to stop, and what it did so far may be lost.' : 'It has not begun, and will not.',
      action: 'Cancel the job',
      danger: true,
    });
    setAsking(false);
    if (yes) await act('Asked to cancel', () => cancelJob(job.id));
  }
  const retry = () => void act(job.terminal ? 'It has a new life' : 'It runs as soon as there is a place', () => retryJob(job.id));
  const waits = job.status === 'scheduled' || job.status === 'retrying';
  const canRetry = job.status === 'failed' || job.status === 'cancelled' || waits;
  const canCancel = !job.terminal && job.status !== 'cancelling';
  const again: Action = { title: waits ? 'Run now' : 'Run again', run: retry };
  const stop: Action = { title: 'Cancel', run: () => void cancel() };
  useKeys({
    ...(canRetry && { r: { does: again.title, run: retry } }),
    ...(canCancel && { c: { does: 'Cancel the job', run: stop.run } }),
  });
  useCommands([...(canRetry ? [{ ...again, note: 'r' }] : []), ...(canCancel ? [{ ...stop, title: 'Cancel this job', note: 'c' }] : [])]);
  return [...(canRetry ? [again] : []), ...(canCancel ? [stop] : [])];
}
