import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { Problem } from '../ask';
import { count, plural } from '../figures';
import { Dialog, ErrorState, Loading, say, Words } from '../parts';
import { type Count, dryRun, step, type Verb, type Whom } from './bulk';

type Stage =
  | { at: 'counting' }
  | { at: 'asked'; found: Count }
  | { at: 'running' | 'stopping'; found: Count; done: number }
  | { at: 'over'; found: Count; done: number; stopped: boolean }
  | { at: 'failed'; problem: Problem; done: number };

/** Steps in a row that find nothing to do, as while the server looks through old ones, before this gives up. */
const maxIdle = 20;

const words = {
  redrive: { title: 'Redrive', doing: 'Redriving', done: 'redriven', what: 'Each gets a new life: its attempts begin at one again. What failed is kept in its history.' },
  delete: { title: 'Delete', doing: 'Deleting', done: 'deleted', what: 'The jobs go, with their history and files. This can’t be taken back.' },
} as const;

/** Shows what would be done before it is done, then does it in steps, and can be stopped between two. */
export function BulkDialog({ verb, whom, what, onClose }: { verb: Verb; whom: Whom; what: string; onClose(changed: boolean): void }) {
  const id = useId();
  const [stage, setStage] = useState<Stage>({ at: 'counting' });
  const [typed, setTyped] = useState('');
  const stop = useRef(false);
  const whomNow = useRef(whom);
  const { title, doing, done: doneWord, what: explained } = words[verb];

  useEffect(() => {
    let gone = false;
    dryRun(verb, whomNow.current).then(
      (found) => !gone && setStage({ at: 'asked', found }),
      (problem: unknown) => !gone && setStage({ at: 'failed', problem: asProblem(problem), done: 0 }),
    );
    return () => {
      gone = true;
    };
  }, [verb]);

  const first = useRef<HTMLInputElement & HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), [stage.at]);

  async function run(found: Count): Promise<void> {
    let done = 0;
    setStage({ at: 'running', found, done });
    try {
      for (let more = true, idle = 0; more && !stop.current; ) {
        const one = await step(verb, whomNow.current);
        done += one.done;
        idle = one.done > 0 ? 0 : idle + 1;
        more = one.more && idle < maxIdle;
        setStage({ at: stop.current ? 'stopping' : 'running', found, done });
      }
      setStage({ at: 'over', found, done, stopped: stop.current });
      say(`${plural(done, 'job')} ${doneWord}`, { tone: 'good' });
    } catch (problem) {
      setStage({ at: 'failed', problem: asProblem(problem), done });
    }
  }

  function close(): void {
    if (stage.at === 'running' || stage.at === 'stopping') {
      stop.current = true;
      setStage({ ...stage, at: 'stopping' });
      return;
    }
    onClose('done' in stage && stage.done > 0);
  }

  return (
    <Dialog title={`${title} ${what}`} onClose={close} className="bulk">
      {stage.at === 'counting' && <Loading rows={3} />}
      {stage.at === 'failed' && (
        <>
          <ErrorState problem={stage.problem} />
          {stage.done > 0 && <p className="dialog-words">{`${plural(stage.done, 'job')} ${stage.done === 1 ? 'was' : 'were'} ${doneWord} before that.`}</p>}
          <Buttons onLeave={close} leave="Close" />
        </>
      )}
      {stage.at === 'asked' && (
        <form
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            if (typed.trim() === needed(verb, stage.found)) void run(stage.found);
          }}
        >
          <p className="bulk-count">{matches(stage.found)}</p>
          {stage.found.matched > 0 && (
            <>
              <p className="dialog-words">{explained}</p>
              <Sample found={stage.found} />
            </>
          )}
          {stage.found.matched > 0 && verb === 'delete' && (
            <div className="dialog-typed">
              <label htmlFor={id}>
                Type <kbd>{needed(verb, stage.found)}</kbd> to go on
              </label>
              <input ref={first} id={id} className="input" value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
            </div>
          )}
          <div className="dialog-actions">
            <button ref={verb === 'redrive' || stage.found.matched === 0 ? first : undefined} type="button" className="quiet" onClick={close}>
              Leave it
            </button>
            {stage.found.matched > 0 && (
              <button type="submit" className={verb === 'delete' ? 'primary danger' : 'primary'} disabled={typed.trim() !== needed(verb, stage.found)}>
                {title} {how(stage.found)}
              </button>
            )}
          </div>
        </form>
      )}
      {(stage.at === 'running' || stage.at === 'stopping') && (
        <>
          <p className="bulk-count">{`${doing}: ${count(stage.done)} of ${how(stage.found)}`}</p>
          <progress
            className="bulk-bar"
            aria-label={doing}
            {...(!stage.found.capped && { max: Math.max(1, stage.found.matched, stage.done), value: stage.done })}
          />
          <Buttons onLeave={close} leave={stage.at === 'stopping' ? 'Stopping after this step…' : 'Stop'} />
        </>
      )}
      {stage.at === 'over' && (
        <>
          <p className="bulk-count">{`${plural(stage.done, 'job')} ${doneWord}${stage.stopped ? ', then stopped' : ''}.`}</p>
          <Buttons onLeave={close} leave="Close" />
        </>
      )}
    </Dialog>
  );
}

function Buttons({ onLeave, leave }: { onLeave(): void; leave: string }) {
  return (
    <div className="dialog-actions">
      <button type="button" className="quiet" onClick={onLeave}>
        {leave}
      </button>
    </div>
  );
}

function Sample({ found }: { found: Count }) {
  if (found.sample.length === 0) return null;
  return (
    <div className="bulk-sample">
      <p className="hint">{found.sample.length < found.matched ? `${found.sample.length} of them` : 'These'}</p>
      <ul>
        {found.sample.map((job) => (
          <li key={job.id}>
            <span className="mono">{job.id}</span>
            {job.message && (
              <span className="bulk-message">
                <Words text={job.message} limit={140} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What has to be typed; nothing for what can be taken back. */
function needed(verb: Verb, found: Count): string {
  return verb === 'delete' ? `delete ${found.capped ? 'all' : found.matched}` : '';
}

function how({ matched, capped }: Count): string {
  return capped ? `${count(matched)} or more` : count(matched);
}

function matches(found: Count): string {
  if (found.matched === 0) return 'No dead letter matches any more.';
  return `${found.capped ? `${count(found.matched)} or more jobs` : plural(found.matched, 'job')} ${found.matched === 1 ? 'matches' : 'match'}.`;
}

function asProblem(problem: unknown): Problem {
  return problem instanceof Problem ? problem : new Problem({ status: 0, code: 'page', detail: String(problem) });
}
