import { useEffect, useState } from 'react';
import { served } from '../../base';
import { ThemeToggle } from '../../studio/ThemeToggle';
import { useStats } from '../live/hooks';
import { isObject, text } from '../../json';
import { send, useJson } from '../ask';
import { live } from '../live/live';
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

/** Only where there is something to sign out of. */
function SignOut() {
  const { data } = useJson('/v1/session');
  const [gone, setGone] = useState(false);
  useEffect(() => setGone(false), [data]);
  if (!isObject(data) || data.open === true || gone) return null;
  async function signOut(): Promise<void> {
    await send('/v1/session', { method: 'DELETE' });
    setGone(true);
    live.reconnect();
    if (location.pathname.startsWith(served('/ops'))) location.reload();
  }
  return (
    <button type="button" className="quiet" title={`Signed in as ${text(data.principal)}`} onClick={() => void signOut()}>
      Sign out
    </button>
  );
}
