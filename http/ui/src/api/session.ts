import { send } from './http';

/** Exchanges an access token for a session cookie, which scripts can't read. */
export async function signIn(token: string): Promise<void> {
  await send('/v1/session', { method: 'POST', body: { token } });
}
