import { decodeResource, type Job } from '@troupe/client';
import { base } from '../base';
import { number, object, text, timeOrNull } from '../json';

/** A job as lists and the resource have it: what the stream tells, and what only operators care for. */
export type ListedJob = Job & {
  priority: number;
  /** How often its node was lost while it ran. */
  crashes: number;
  tags: string[];
  group: string;
  node: string;
  startedAt: number | null;
  runAt: number | null;
};

export function decodeListed(value: unknown): ListedJob | null {
  const job = decodeResource(value, base.slice(0, -1));
  if (job === null) return null;
  const { priority, crashes, tags, group, node, started_at, run_at } = object(value);
  return {
    ...job,
    priority: number(priority),
    crashes: number(crashes),
    tags: (Array.isArray(tags) ? tags : []).map(text).filter(Boolean),
    group: text(group),
    node: text(node),
    startedAt: timeOrNull(started_at),
    runAt: timeOrNull(run_at),
  };
}
