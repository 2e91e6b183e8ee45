import { object, text } from '../json';
import { beginAnew } from '../together';
import { send, sendForJson } from './http';

/** Exchanges an access token for a session cookie, which scripts can't read. */
export async function signIn(token: string): Promise<void> {
  await send('/v1/session', { method: 'POST', body: { token } });
  beginAnew();
}

export async function signOut(): Promise<void> {
  await send('/v1/session', { method: 'DELETE' });
  beginAnew();
}

export interface Session {
  /** Who we are; empty where nobody has a name. */
  principal: string;
  /** Everybody may do everything: there is nothing to sign out of. */
  open: boolean;
}

export async function getSession(signal?: AbortSignal): Promise<Session> {
  const session = object(await sendForJson('/v1/session', signal ? { signal } : {}));
  return { principal: text(session.principal), open: session.open !== false };
}
