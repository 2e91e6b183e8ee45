import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { Problem } from '../api';
import { useStudio } from './context';
import { problemWords } from './words';

export function SignIn() {
  const studio = useStudio();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  useEffect(() => field.current?.focus(), []);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const token = field.current?.value.trim() ?? '';
    if (busy) return;
    if (token === '') {
      setError('Paste your access token here.');
      field.current?.focus();
      return;
    }
    setBusy(true);
    setError('');
    try {
      await studio.signIn(token);
    } catch (problem) {
      const unknown = problem instanceof Problem && problem.status === 401;
      setError(unknown ? 'This token isn’t known here. Check that you copied all of it.' : problemWords(problem));
      setBusy(false);
      field.current?.select();
    }
  }

  return (
    <form className="panel sign-in" onSubmit={submit} noValidate aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>Sign in</h2>
      <p className="hint">This studio is closed to strangers. Jobs that are under way keep running.</p>
      <div className="field">
        <label htmlFor={id}>Access token</label>
        <input
          id={id}
          ref={field}
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          maxLength={512}
          aria-invalid={error !== ''}
          aria-describedby={`${id}-error`}
        />
        <p className="error" id={`${id}-error`} role="alert">
          {error}
        </p>
      </div>
      <button type="submit" className="primary" aria-disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}
