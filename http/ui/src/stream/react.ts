import { useCallback, useSyncExternalStore } from 'react';
import type { Shown } from './advance';
import type { Watchable } from './cell';
import type { JobStore } from './store';

/** One job of a store. A change of another job does not render the caller. */
export function useJob(store: JobStore, id: string | null): Shown | undefined {
  const watch = useCallback((watcher: () => void) => (id === null ? () => {} : store.watch(id, watcher)), [store, id]);
  const get = useCallback(() => (id === null ? undefined : store.get(id)), [store, id]);
  return useSyncExternalStore(watch, get, get);
}

export function useWatched<T>(source: Watchable<T>): T {
  const watch = useCallback((watcher: () => void) => source.watch(watcher), [source]);
  const get = useCallback(() => source.get(), [source]);
  return useSyncExternalStore(watch, get, get);
}
