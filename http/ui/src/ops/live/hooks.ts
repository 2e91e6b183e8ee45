import type { Job, Place, Topic } from '@troupe/client';
import { useCallback, useEffect, useSyncExternalStore } from 'react';
import type { Connected } from '../../connection';
import { useWatched } from '../../watch';
import type { Stats } from './events';
import { live } from './live';

/** The last figures; null before the first. Renders once a second at most. */
export function useStats(): Stats | null {
  return useWatched(live.stats);
}

/** Figures of the last two minutes, oldest first. */
export function useStatsHistory(): readonly Stats[] {
  return useWatched(live.history);
}

export function useConnection(): Connected {
  return useWatched(live.connection);
}

/** Adds topics to the stream while the component is on the screen: "all", "job:<id>", "queue:<name>". */
export function useTopics(...topics: Topic[]): void {
  const key = topics.join('\n');
  useEffect(() => (key === '' ? undefined : live.topics(key.split('\n') as Topic[])), [key]);
}

/** The last state that the stream told of a job; undefined if none. Hold its topic, too. */
export function useLiveJob(id: string): Job | undefined {
  const watch = useCallback((watcher: () => void) => live.client.jobs.watch(id, watcher), [id]);
  return useSyncExternalStore(watch, () => live.client.jobs.get(id));
}

/** Where a waiting job stands, as the stream tells. */
export function usePlaceInLine(id: string): Place | undefined {
  const watch = useCallback((watcher: () => void) => live.client.jobs.watch(id, watcher), [id]);
  return useSyncExternalStore(watch, () => live.client.jobs.place(id));
}
