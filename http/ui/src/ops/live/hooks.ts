import { useEffect } from 'react';
import type { ConnectionState, Shown } from '../../stream';
import { useJob as useJobOf, useWatched } from '../../stream/react';
import type { Stats, Waiting } from './events';
import { live } from './live';

/** The last figures; null before the first. Renders once a second at most. */
export function useStats(): Stats | null {
  return useWatched(live.stats);
}

/** Figures of the last two minutes, oldest first. */
export function useStatsHistory(): readonly Stats[] {
  return useWatched(live.history);
}

export function useConnection(): ConnectionState {
  return useWatched(live.connection);
}

/** Adds topics to the stream while the component is on the screen: "all", "job:<id>", "queue:<name>". */
export function useTopics(...topics: string[]): void {
  const key = topics.join('\n');
  useEffect(() => (key === '' ? undefined : live.topics(...key.split('\n'))), [key]);
}

/** The last state that the stream told of a job; undefined if none. Hold its topic, too. */
export function useLiveJob(id: string): Shown | undefined {
  return useJobOf(live.jobs, id);
}

/** Where a waiting job stands, as the stream tells. */
export function usePlaceInLine(id: string): Waiting | undefined {
  return useWatched(live.places).get(id);
}
