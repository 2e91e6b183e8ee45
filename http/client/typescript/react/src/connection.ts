'use client';

import type { ConnectionState, Troupe } from '@troupe/client';
import { useCallback, useSyncExternalStore } from 'react';
import { useTroupe } from './provider.js';

export type Connection = ConnectionState['phase'];

/** What is read of the connection. Renders only when that changes: it has to be a plain value, or the same object. */
export function useOfConnection<T>(client: Troupe, read: (state: ConnectionState) => T, onServer: T): T {
  const watch = useCallback((watcher: () => void) => client.connection.watch(watcher), [client]);
  return useSyncExternalStore(
    watch,
    () => read(client.connection.get()),
    () => onServer,
  );
}

/** How the page's one connection does, and a way to try it again. */
export function useConnection(): { state: ConnectionState; reconnect: () => void } {
  const client = useTroupe();
  const state = useOfConnection(client, (one) => one, client.connection.get());
  return { state, reconnect: useCallback(() => client.reconnect(), [client]) };
}
