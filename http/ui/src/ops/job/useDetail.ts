import type { Job } from '@troupe/client';
import { useEffect, useMemo } from 'react';
import { decodeListed, type ListedJob } from '../../api/listed';
import { type Asked, send, sendForJson, useAsk } from '../ask';
import { member, type Node, parseLossless } from '../json/lossless';
import { useLiveJob, useTopics } from '../live/hooks';
import { newest } from '../jobs/list';
import { decodeHistory, type Transition } from './history';

export interface Detail {
  job: ListedJob;
  /** The members of the resource as they were written. */
  payload: Node | undefined;
  result: Node | undefined;
  checkpoint: Node | undefined;
}

/** The store tells what was committed a moment after the stream does. */
const lateMs = 1_500;

/** A job with everything the resource has, kept fresh by the stream. */
export function useDetail(id: string): { asked: Asked<Detail | null>; job: ListedJob | null; history: Asked<Transition[]> } {
  useTopics(`job:${id}`);
  const live = useLiveJob(id);
  const asked = useAsk(id, async (signal) => read(await (await send(path(id), { signal })).text()));
  const history = useAsk(id, async (signal) => decodeHistory(await sendForJson(`${path(id)}/events`, { signal })));
  const listed = asked.data?.job ?? null;
  const job = useMemo(() => listed && newest(listed, live), [listed, live]);
  useReadAgain(live, asked.reload, history.reload);
  return { asked, job, history };
}

function path(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

/** The stream has no payload, result and history: after a change that touches them they are read again. */
function useReadAgain(live: Job | undefined, detail: () => void, history: () => void): void {
  const turn = live && `${live.run}/${live.attempt.n}/${live.status}/${live.artifacts.length}`;
  useEffect(() => {
    if (turn === undefined) return;
    const both = () => {
      detail();
      history();
    };
    both();
    const timer = setTimeout(both, lateMs);
    return () => clearTimeout(timer);
  }, [turn, detail, history]);
}

function read(source: string): Detail | null {
  const job = decodeListed(JSON.parse(source));
  if (job === null) return null;
  const node = parseLossless(source);
  return { job, payload: member(node, 'payload'), result: member(node, 'result'), checkpoint: member(node, 'checkpoint') };
}
