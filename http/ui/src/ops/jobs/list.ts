import type { Job } from '@troupe/client';
import { decodeListed, type ListedJob } from '../../api/listed';
import { isObject, object, textOrNull } from '../../json';
import { sendForJson } from '../ask';

export const pageSize = 50;

export interface JobPage {
  jobs: ListedJob[];
  /** When it was asked for, by the page's clock. */
  askedAt: number;
  next: string | null;
  /** How far back was searched, if not to the end. */
  backTo: string | null;
}

/** A page of jobs that fit, newest first. */
export async function listJobs(q: string, cursor: string, signal: AbortSignal): Promise<JobPage> {
  const query = new URLSearchParams({ limit: String(pageSize) });
  if (q !== '') query.set('q', q);
  if (cursor !== '') query.set('cursor', cursor);
  const askedAt = Date.now();
  const body = object(await sendForJson(`/v1/jobs?${query}`, { signal }));
  const scan = isObject(body.scan) ? body.scan : {};
  return {
    askedAt,
    jobs: (Array.isArray(body.jobs) ? body.jobs : []).flatMap((one) => decodeListed(one) ?? []),
    next: textOrNull(body.next),
    backTo: scan.complete === false ? textOrNull(scan.back_to) : null,
  };
}

/** The newer of what the list said and what the stream says. */
export function newest(listed: ListedJob, live: Job | undefined): ListedJob {
  return live === undefined || live.rev <= listed.rev ? listed : { ...listed, ...live };
}
