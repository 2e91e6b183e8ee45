import { useCallback, useSyncExternalStore } from 'react';
import type { Shown } from './advance';
import type { JobStore } from './store';

/** One job of a store. A change of another job does not render the caller. */
export function useJob(store: JobStore, id: string): Shown | undefined {
  const watch = useCallback((watcher: () => void) => store.watch(id, watcher), [store, id]);
  const get = useCallback(() => store.get(id), [store, id]);
  return useSyncExternalStore(watch, get, get);
}
