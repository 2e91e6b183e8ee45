import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { Cell } from '../../stream';
import { useWatched } from '../../stream/react';
import { Dialog } from './Dialog';

export interface Question {
  title: string;
  body?: ReactNode;
  /** The words of the button that does it: "Cancel the job". */
  action: string;
  /** It can't be taken back. */
  danger?: boolean;
  /** Has to be typed before it can be done: "delete 31 jobs". */
  typed?: string;
}

const asked = new Cell<(Question & { answer(yes: boolean): void }) | null>(null);

/** Asks before something is done. Resolves to whether it shall be. */
export function confirm(question: Question): Promise<boolean> {
  asked.get()?.answer(false);
  return new Promise((resolve) => {
    asked.set({
      ...question,
      answer: (yes) => {
        asked.set(null);
        resolve(yes);
      },
    });
  });
}

/** The place of the questions, once on the page. */
export function ConfirmDialog() {
  const question = useWatched(asked);
  return question === null ? null : <Open key={question.title} {...question} />;
}

function Open({ title, body, action, danger, typed, answer }: Question & { answer(yes: boolean): void }) {
  const id = useId();
  const [text, setText] = useState('');
  const ready = typed === undefined || text.trim() === typed;
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (ready) answer(true);
  }
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      <form onSubmit={submit}>
        {body && <div className="dialog-words">{body}</div>}
        {typed !== undefined && (
          <div className="dialog-typed">
            <label htmlFor={id}>
              Type <kbd>{typed}</kbd> to go on
            </label>
            <input
              id={id}
              className="input"
              value={text}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setText(event.target.value)}
            />
          </div>
        )}
        <div className="dialog-actions">
          <button type="button" className="quiet" onClick={() => answer(false)}>
            Leave it
          </button>
          <button type="submit" className={danger ? 'primary danger' : 'primary'} disabled={!ready}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
