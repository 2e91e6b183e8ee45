import { useSyncExternalStore } from 'react';
import { absolute, duration, relative } from './time';

/** One timer for all times on the screen. */
const watchers = new Set<() => void>();
let second = Math.floor(Date.now() / 1_000);
let timer: ReturnType<typeof setInterval> | undefined;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    second = Math.floor(Date.now() / 1_000);
    for (const one of [...watchers]) one();
  }, 1_000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time in milliseconds, renewed each second. */
export function useSecond(): number {
  return useSyncExternalStore(watch, () => (timer === undefined ? Math.floor(Date.now() / 1_000) : second)) * 1_000;
}

/** How long ago, with the exact time to hover over. Takes milliseconds or RFC 3339; draws a dash for none. */
export function Time({ at }: { at: number | string | null | undefined }) {
  const now = useSecond();
  const ms = typeof at === 'string' ? Date.parse(at) : (at ?? Number.NaN);
  if (Number.isNaN(ms) || ms <= 0) return <span className="none">–</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={absolute(ms)}>
      {relative(ms, Math.max(now, Date.now() - 1_000))}
    </time>
  );
}

/** A span of time. Without `to` it runs until now, by the second. */
export function Duration({ ms, from, to }: { ms?: number | null; from?: number | null; to?: number | null }) {
  if (ms != null) return <span>{duration(ms)}</span>;
  if (from == null) return <span className="none">–</span>;
  return to == null ? <Running from={from} /> : <span>{duration(to - from)}</span>;
}

function Running({ from }: { from: number }) {
  const now = useSecond();
  return <span>{duration(Math.max(0, Math.floor((now - from) / 1_000) * 1_000))}</span>;
}
