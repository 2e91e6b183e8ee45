import './queues.css';
import { useEffect, useRef } from 'react';
import { useKeys } from '../frame/keys';
import { useStatsHistory } from '../live/hooks';
import { EmptyState, ErrorState, Loading, Page, Panel } from '../parts';
import { useQuery } from '../router';
import { askToPause, PauseDialog, resumeNow } from './pausing';
import { QueueCard } from './QueueCard';
import { type Queue, useQueues } from './queues';

/** Every queue with its figures, and what can be set while it runs. */
export default function QueuesPage() {
  const { data: queues, problem, reload } = useQueues();
  const history = useStatsHistory();
  const [named] = useQuery('queue');
  const list = useRef<HTMLUListElement>(null);
  const shown = queues !== undefined;
  useEffect(() => {
    if (!shown || named === '') return;
    list.current?.querySelector<HTMLElement>(`[data-queue="${CSS.escape(named)}"]`)?.focus();
  }, [shown, named]);

  const cards = () => [...(list.current?.querySelectorAll<HTMLElement>('[data-queue]') ?? [])];
  const focused = () => cards().find((card) => card.contains(document.activeElement));
  function walk(by: number): void {
    const all = cards();
    const at = all.findIndex((card) => card === focused());
    const card = all[at === -1 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'nearest' });
  }
  function withQueue(act: (queue: Queue) => void): void {
    const queue = queues?.find(({ name }) => name === focused()?.dataset.queue);
    if (queue !== undefined) act(queue);
  }
  useKeys({
    j: { does: 'Next queue', run: () => walk(1) },
    k: { does: 'Queue before', run: () => walk(-1) },
    p: { does: 'Pause or resume the queue', run: () => withQueue((queue) => void (queue.paused ? resumeNow(queue, reload) : askToPause(queue, reload))) },
    e: { does: 'Change how many run at once', run: () => focused()?.querySelector<HTMLInputElement>('input[type=number]')?.select() },
  });

  return (
    <Page title="Queues" lead="What is set here holds on every node, and from now on.">
      {problem && <ErrorState problem={problem} onRetry={reload} />}
      {!problem && queues === undefined && <Loading rows={6} />}
      {queues?.length === 0 && (
        <Panel>
          <EmptyState title="This node serves no queue" />
        </Panel>
      )}
      {queues !== undefined && queues.length > 0 && (
        <ul className="queue-cards" ref={list} aria-label="Queues">
          {queues.map((queue) => (
            <QueueCard
              key={queue.name}
              queue={queue}
              flow={history.map(({ queues: all }) => {
                const one = all.find(({ name }) => name === queue.name);
                return one ? one.completedPerS + one.failedPerS : 0;
              })}
              onChange={reload}
            />
          ))}
        </ul>
      )}
      <PauseDialog />
    </Page>
  );
}
