import { Component, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { live } from '../live/live';
import { useConnection } from '../live/hooks';
import { Problem } from '../ask';
import { ConfirmDialog, ErrorState, Loading, Toasts } from '../parts';
import { match, navigate, usePlace } from '../router';
import { type Room, rooms } from '../rooms';
import { Help } from './Help';
import { useKeys } from './keys';
import { Palette } from './Palette';
import { Sidebar } from './Sidebar';
import { SignIn } from './SignIn';
import { TopBar } from './TopBar';

function roomAt(path: string): { room: Room; params: Record<string, string> } | null {
  for (const room of rooms) {
    const params = match(room.path, path);
    if (params !== null) return { room, params };
  }
  return null;
}

/** The house: what stays while the rooms change. */
export function Shell() {
  const { path } = usePlace();
  const found = roomAt(path);
  const main = useRef<HTMLElement>(null);
  const [over, setOver] = useState<'help' | 'palette' | null>(null);
  const { phase } = useConnection();
  const title = found?.room.title ?? 'Not found';
  useEffect(() => live.hold(), []);
  useArrival(path, title, main);
  useKeys({
    '?': { does: 'Show these keys', run: () => setOver('help') },
    'mod+k': { does: 'Go anywhere', run: () => setOver('palette') },
    '/': { does: 'Search', run: () => focusSearch() },
    ...Object.fromEntries(
      rooms.flatMap(({ key, path, title }) => (key ? [[`g ${key}`, { does: title, run: () => navigate(path) }]] : [])),
    ),
  });
  return (
    <div className="house">
      <a className="skip" href="#main" onClick={(event) => skip(event, main.current)}>
        Skip to the page
      </a>
      <Sidebar path={path} />
      <div className="house-side">
        <TopBar onPalette={() => setOver('palette')} onHelp={() => setOver('help')} />
        <main id="main" ref={main} tabIndex={-1}>
          {phase === 'signed_out' ? (
            <SignIn />
          ) : (
            <Guard key={path}>
              <Suspense fallback={<Loading />}>
                {found ? <found.room.page params={found.params} /> : <Unknown path={path} />}
              </Suspense>
            </Guard>
          )}
        </main>
      </div>
      {over === 'help' && <Help onClose={() => setOver(null)} />}
      {over === 'palette' && <Palette onClose={() => setOver(null)} />}
      <ConfirmDialog />
      <Toasts />
    </div>
  );
}

/** A new page is told to those who can't see it: by the title, and by the focus on what is new. */
function useArrival(path: string, title: string, main: React.RefObject<HTMLElement | null>): void {
  const before = useRef(path);
  useEffect(() => {
    document.title = `${title} · Troupe`;
    if (before.current === path) return;
    before.current = path;
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [path, title, main]);
}

function skip(event: React.MouseEvent, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}

function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>('main input[type=search]');
  if (field) {
    field.focus();
    field.select();
  } else navigate('/ops/jobs?find=1');
}

function Unknown({ path }: { path: string }) {
  return <ErrorState problem={new Problem({ status: 404, code: 'not_found', detail: path })} />;
}

/** What breaks in a room does not take the house with it. */
class Guard extends Component<{ children: ReactNode }, { broken: Error | null }> {
  override state = { broken: null as Error | null };

  static getDerivedStateFromError(broken: Error) {
    return { broken };
  }

  override render() {
    const { broken } = this.state;
    if (broken === null) return this.props.children;
    // A page of an older build asks for files that are gone.
    const problem = new Problem({ status: 0, code: 'page', detail: broken.message });
    return <ErrorState problem={problem} onRetry={() => location.reload()} />;
  }
}
