import { connect, type Troupe } from '@troupe/client';
import { useEffect, useState } from 'react';
import { base } from './base';

/** The server says something at least so often, by its own promise. */
const heartbeatMs = 15_000;
/** It may be so late. */
const lateMs = 5_000;

const heard = new WeakMap<Troupe, { at: number }>();

/** A client of the server of this page, below whatever prefix. */
export function client(): Troupe {
  const ears = { at: Date.now() };
  const troupe = connect({ baseUrl: base.slice(0, -1), fetch: async (input, init) => listen(await fetch(input, init), ears) });
  heard.set(troupe, ears);
  return troupe;
}

/** Notes when the stream was last heard of. */
function listen(answer: Response, ears: { at: number }): Response {
  ears.at = Date.now();
  if (!answer.body || answer.headers.get('Content-Type')?.startsWith('text/event-stream') !== true) return answer;
  const body = answer.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, out) {
        ears.at = Date.now();
        out.enqueue(bytes);
      },
    }),
  );
  return new Response(body, answer);
}

/** Whether a stream that counts as live has missed its heartbeat: what is on the screen may be old already. */
export function useSilence(troupe: Troupe, isLive: boolean): boolean {
  const [silent, setSilent] = useState(false);
  useEffect(() => {
    if (!isLive) return setSilent(false);
    const timer = setInterval(() => setSilent(Date.now() - (heard.get(troupe)?.at ?? Date.now()) > heartbeatMs + lateMs), 1_000);
    return () => clearInterval(timer);
  }, [troupe, isLive]);
  return silent;
}
