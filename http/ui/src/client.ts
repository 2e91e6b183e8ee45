import { connect, type Troupe } from '@troupe/client';
import { acrossTabs } from '@troupe/client/tabs';
import { useEffect, useState } from 'react';
import { base } from './base';
import { togetherSince } from './together';

/** The server says something at least so often, by its own promise. */
const heartbeatMs = 15_000;
/** It may be so late. */
const lateMs = 5_000;

/** A client of the server of this page, below whatever prefix: with those of all tabs it has one stream. */
export function client(): Troupe {
  return connect({ baseUrl: base.slice(0, -1), link: acrossTabs({ name: togetherSince() }) });
}

/** Whether a stream that counts as live has missed its heartbeat: what is on the screen may be old already. */
export function useSilence(troupe: Troupe, isLive: boolean): boolean {
  const [silent, setSilent] = useState(false);
  useEffect(() => {
    if (!isLive) return setSilent(false);
    const timer = setInterval(() => setSilent(Date.now() - troupe.heardAt > heartbeatMs + lateMs), 1_000);
    return () => clearInterval(timer);
  }, [troupe, isLive]);
  return silent;
}
