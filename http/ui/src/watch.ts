import type { Watchable } from '@troupe/client';
import { useCallback, useSyncExternalStore } from 'react';

/** The value of a cell, and a render with each change of it. */
export function useWatched<T>(source: Watchable<T>): T {
  const watch = useCallback((watcher: () => void) => source.watch(watcher), [source]);
  const get = useCallback(() => source.get(), [source]);
  return useSyncExternalStore(watch, get, get);
}
