import { type FormEvent, useId, useState } from 'react';
import { Problem, signIn } from '../../api';
import { live } from '../live/live';
import { problemTitle } from '../parts';

/** Takes an access token for a session, where the server wants one. */
export function SignIn() {
  const id = useId();
  const [token, setToken] = useState('');
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (busy || token.trim() === '') return;
    setBusy(true);
    try {
      await signIn(token.trim());
      live.reconnect();
    } catch (problem) {
      const known = problem instanceof Problem ? problem : new Problem({ status: 0, code: 'page' });
      setWords(known.status === 401 ? 'This token isn’t known here. Check that you copied all of it.' : `${problemTitle(known)}.`);
      setBusy(false);
    }
  }
  return (
    <form className="sheet sign-in-sheet" onSubmit={submit} noValidate>
      <h1>Sign in</h1>
      <p className="hint">These pages are closed to strangers. Jobs that are under way keep running.</p>
      <label htmlFor={id}>Access token</label>
      <input
        id={id}
        className="input"
        type="password"
        autoComplete="current-password"
        spellCheck={false}
        maxLength={512}
        value={token}
        aria-invalid={words !== ''}
        aria-describedby={`${id}-error`}
        onChange={(event) => setToken(event.target.value)}
      />
      <p className="error" id={`${id}-error`} role="alert">
        {words}
      </p>
      <button type="submit" className="primary" aria-disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}
