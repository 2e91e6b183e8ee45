import { getSession, signOut } from '../../api';
import { ThemeToggle } from '../../studio/ThemeToggle';
import { useStats } from '../live/hooks';
import { useAsk } from '../ask';
import { say } from '../parts';
import { LiveDot } from './LiveDot';

export function TopBar({ onPalette, onHelp }: { onPalette(): void; onHelp(): void }) {
  const mac = navigator.userAgent.includes('Mac');
  return (
    <header className="topbar">
      <LiveDot />
      <ServedBy />
      <button type="button" className="quiet palette-button" onClick={onPalette}>
        Go to… <kbd>{mac ? '⌘' : 'Ctrl'} K</kbd>
      </button>
      <button type="button" className="quiet icon-button" aria-label="Keyboard keys" onClick={onHelp}>
        ?
      </button>
      <ThemeToggle />
      <SignOut />
    </header>
  );
}

function ServedBy() {
  const stats = useStats();
  if (stats === null || stats.node === '') return <span className="served-by" />;
  return (
    <span className="served-by hint">
      {stats.node}
      {stats.nodes > 1 && `, one of ${stats.nodes}`}
    </span>
  );
}

/** Only where there is something to sign out of. What was on the screen is for nobody any more: the page begins anew. */
function SignOut() {
  const { data: session } = useAsk('session', getSession);
  if (session === undefined || session.open) return null;
  const leave = () =>
    void signOut().then(
      () => location.reload(),
      () => say('The server can’t be reached: you are still signed in', { tone: 'bad' }),
    );
  return (
    <button type="button" className="quiet" title={`Signed in as ${session.principal}`} onClick={leave}>
      Sign out
    </button>
  );
}
