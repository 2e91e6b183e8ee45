import { type FormEvent, useEffect, useId, useState } from 'react';
import type { Problem } from '../ask';
import { Words } from '../parts';
import { navigate } from '../router';
import { qualifiers } from './query';

/** What is looked for, bound to the URL. */
export function SearchBox({ q, problem }: { q: string; problem: Problem | null }) {
  const id = useId();
  const [text, setText] = useState(q);
  useEffect(() => setText(q), [q]);

  function go(to: string): void {
    navigate(`/ops/jobs${to.trim() === '' ? '' : `?${new URLSearchParams({ q: to.trim() })}`}`);
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    go(text);
  }
  function add(example: string): void {
    setText((was) => (was.trim() === '' ? example : `${was.trim()} ${example}`));
    document.querySelector<HTMLInputElement>('#job-search')?.focus();
  }

  return (
    <form className="search" role="search" onSubmit={submit}>
      <div className="search-line">
        <label className="unseen" htmlFor="job-search">
          Search jobs
        </label>
        <input
          id="job-search"
          className="input mono"
          type="search"
          placeholder="status:failed kind:video.generate payload.campaign:&quot;spring&quot; error:timeout age:>1h"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          value={text}
          aria-invalid={problem !== null}
          aria-describedby={`${id}-problem`}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        />
        <button type="submit" className="quiet strong">
          Search
        </button>
        {q !== '' && (
          <button type="button" className="quiet" onClick={() => go('')}>
            Clear
          </button>
        )}
      </div>
      <p className="error" id={`${id}-problem`} role="alert">
        {problem && <Words text={problem.detail || 'This search can’t be used.'} limit={400} />}
      </p>
      <details className="search-help">
        <summary>What can be searched for</summary>
        <ul>
          {qualifiers.map(({ name, example, does }) => (
            <li key={name}>
              <button type="button" onClick={() => add(example)}>
                <code>{example}</code>
              </button>
              <span className="hint">{does}</span>
            </li>
          ))}
          <li>
            <button type="button" onClick={() => add('"two words"')}>
              <code>"two words"</code>
            </button>
            <span className="hint">in kind, error or payload</span>
          </li>
        </ul>
      </details>
    </form>
  );
}
