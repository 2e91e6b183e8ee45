import { signOut } from '../api';
import { useWatched } from '../watch';
import { useStudio } from './context';

/** Only where there is something to sign out of. What was on the screen is for nobody any more: the page begins anew. */
export function SignOut() {
  const studio = useStudio();
  const session = useWatched(studio.session);
  const { phase } = useWatched(studio.connection);
  if (session === null || session.open || phase === 'signed_out') return null;
  const leave = () =>
    void signOut().then(
      () => location.reload(),
      () => undefined,
    );
  return (
    <button type="button" className="quiet" title={`Signed in as ${session.principal}`} onClick={leave}>
      Sign out
    </button>
  );
}
