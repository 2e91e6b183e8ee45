import { type FormEvent, useState } from 'react';
import { Cell } from '@troupe/client';
import { useWatched } from '../../watch';
import { Problem } from '../ask';
import { plural } from '../figures';
import { Dialog, problemTitle, say } from '../parts';
import { pause, type Queue, resume } from './queues';

/** The longest reason that the server takes. */
const maxReason = 512;

const asked = new Cell<{ queue: Queue; onChange(): void } | null>(null);

/** Asks why, then pauses. */
export function askToPause(queue: Queue, onChange: () => void): void {
  asked.set({ queue, onChange });
}

export async function resumeNow(queue: Queue, onChange: () => void): Promise<void> {
  await told(`${queue.name} goes on`, () => resume(queue.name), onChange, () => void told(`${queue.name} is paused again`, () => pause(queue.name, queue.reason), onChange));
}

/** Does something and says so; what went wrong is said instead. */
export async function told(words: string, act: () => Promise<void>, onChange: () => void, undo?: () => void): Promise<boolean> {
  try {
    await act();
    say(words, { tone: 'good', ...(undo && { undo }) });
    return true;
  } catch (problem) {
    say(problem instanceof Problem ? problem.detail || problemTitle(problem) : 'That did not work', { tone: 'bad' });
    return false;
  } finally {
    onChange();
  }
}

/** The place of the question, once on the page. */
export function PauseDialog() {
  const open = useWatched(asked);
  return open === null ? null : <Ask key={open.queue.name} {...open} />;
}

function Ask({ queue, onChange }: { queue: Queue; onChange(): void }) {
  const [reason, setReason] = useState('');
  const close = () => asked.set(null);
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    close();
    const undo = () => void told(`${queue.name} goes on`, () => resume(queue.name), onChange);
    await told(`${queue.name} is paused`, () => pause(queue.name, reason.trim()), onChange, undo);
  }
  return (
    <Dialog title={`Pause ${queue.name}?`} onClose={close}>
      <form onSubmit={submit}>
        <p className="dialog-words">
          {queue.running > 0 ? `${plural(queue.running, 'job')} that ${queue.running === 1 ? 'runs goes' : 'run go'} on to the end.` : 'Nothing runs in it now.'}{' '}
          {queue.waiting > 0 ? `${plural(queue.waiting, 'job')} and what is submitted from now on ${queue.waiting === 1 ? 'waits' : 'wait'}.` : 'What is submitted from now on waits.'}
        </p>
        <label className="dialog-typed">
          <span>Reason, for whoever wonders</span>
          <input className="input" value={reason} maxLength={maxReason} autoComplete="off" onChange={(event) => setReason(event.target.value)} />
        </label>
        <div className="dialog-actions">
          <button type="button" className="quiet" onClick={close}>
            Leave it
          </button>
          <button type="submit" className="primary">
            Pause the queue
          </button>
        </div>
      </form>
    </Dialog>
  );
}
