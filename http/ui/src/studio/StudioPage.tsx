import { useCallback, useEffect, useRef } from 'react';
import type { Brief } from '../api';
import { useWatched } from '../watch';
import { Announcer } from './Announcer';
import { Composer, type ComposerHandle } from './Composer';
import { ConnectionDot } from './ConnectionDot';
import { StudioContext } from './context';
import { SignIn } from './SignIn';
import { SignOut } from './SignOut';
import type { Studio } from './studio';
import './tokens.css';
import './studio.css';
import './card.css';
import { ThemeToggle } from './ThemeToggle';
import { useTabTitle } from './tabTitle';
import { Wall } from './Wall';
import { Wordmark } from './Wordmark';

/** The page on which videos are ordered and watched as they are made. */
export function StudioPage({ studio }: { studio: Studio }) {
  useEffect(() => studio.hold(), [studio]);
  return (
    <StudioContext value={studio}>
      <Page signedOut={useWatched(studio.connection).phase === 'signed_out'} />
    </StudioContext>
  );
}

function Page({ signedOut }: { signedOut: boolean }) {
  const composer = useRef<ComposerHandle>(null);
  const reuse = useCallback((brief: Brief) => composer.current?.fill(brief), []);
  useTabTitle();
  return (
    <>
      <header className="top">
        <h1>
          <Wordmark />
        </h1>
        <ConnectionDot />
        <ThemeToggle />
        <SignOut />
      </header>
      <main className="room">
        <div className="side">
          {signedOut && <SignIn />}
          <div hidden={signedOut}>
            <Composer ref={composer} />
          </div>
        </div>
        <Wall onReuse={reuse} />
      </main>
      <Announcer />
    </>
  );
}
