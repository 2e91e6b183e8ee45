import { isObject, number, numberOrNull, object, text, timeOrNull } from '../../json';
import { type Asked, sendForJson, useAsk } from '../ask';
import type { QueueStats } from '../live/events';
import { useStats } from '../live/hooks';

/** A queue: its settings, as asked for, and its figures, as pushed where the server pushes them. */
export interface Queue {
  name: string;
  paused: boolean;
  /** Why it is paused: untrusted text. */
  reason: string;
  /** As a person set it; 0 is the nodes' own setting. */
  concurrency: number;
  /** Handlers at once on one node, as in force. */
  limit: number;
  /** Handlers at once on all nodes. */
  slots: number;
  running: number;
  durability: string;
  /** When a person last set something. */
  updatedAt: number | null;
  waiting: number;
  delayed: number;
  dead: number;
  oldestAgeS: number | null;
  /** Per second; null where the server does not push. */
  rates: { started: number; completed: number; failed: number } | null;
}

export function decodeQueues(value: unknown): Queue[] {
  const list = object(value).queues;
  return (Array.isArray(list) ? list : []).filter(isObject).map((queue) => {
    const depth = object(queue.depth);
    const oldest = timeOrNull(depth.oldest);
    const limit = number(queue.limit);
    return {
      name: text(queue.name),
      paused: queue.paused === true,
      reason: text(queue.reason),
      concurrency: number(queue.concurrency),
      limit,
      slots: limit,
      running: numberOrNull(queue.running) ?? number(depth.processing),
      durability: text(queue.durability),
      updatedAt: timeOrNull(queue.updated_at),
      waiting: number(depth.waiting),
      delayed: number(depth.delayed),
      dead: number(depth.dead),
      oldestAgeS: oldest === null || number(depth.waiting) === 0 ? null : Math.max(0, (Date.now() - oldest) / 1_000),
      rates: null,
    };
  });
}

/** The settings with the newer figures. */
export function withStats(queue: Queue, stats: QueueStats | undefined): Queue {
  if (stats === undefined) return queue;
  return {
    ...queue,
    paused: stats.paused,
    slots: stats.concurrency || queue.slots,
    running: stats.processing,
    waiting: stats.waiting,
    delayed: stats.delayed,
    dead: stats.dead,
    oldestAgeS: stats.waiting > 0 ? stats.oldestAgeS : null,
    rates: { started: stats.startedPerS, completed: stats.completedPerS, failed: stats.failedPerS },
  };
}

/** All queues, with figures that move by themselves. Settings are asked for now and then: others change them, too. */
export function useQueues(): Asked<Queue[]> {
  const stats = useStats();
  const asked = useAsk('/v1/queues', async (signal) => decodeQueues(await sendForJson('/v1/queues', { signal })), {
    everyMs: stats === null ? 2_000 : 5_000,
  });
  const data = asked.data?.map((queue) => withStats(queue, stats?.queues.find(({ name }) => name === queue.name)));
  return { ...asked, data };
}

export async function pause(name: string, reason: string): Promise<void> {
  await sendForJson(`${path(name)}/pause`, { method: 'POST', body: reason === '' ? {} : { reason } });
}

export async function resume(name: string): Promise<void> {
  await sendForJson(`${path(name)}/resume`, { method: 'POST', body: {} });
}

/** 0 gives each node its own setting back. */
export async function setConcurrency(name: string, concurrency: number): Promise<void> {
  await sendForJson(path(name), { method: 'PATCH', body: { concurrency } });
}

function path(name: string): string {
  return `/v1/queues/${encodeURIComponent(name)}`;
}
