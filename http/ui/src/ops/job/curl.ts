import type { ListedJob } from '../../api/listed';
import { served } from '../../base';
import { type Node, write } from '../json/lossless';

/** A command that submits the same job again, as a new one. */
export function curlOf(job: ListedJob, payload: Node | undefined, origin: string): string {
  const members = [`"kind":${JSON.stringify(job.kind)}`, `"queue":${JSON.stringify(job.queue)}`];
  if (payload !== undefined) members.push(`"payload":${write(payload)}`);
  if (job.tags.length > 0) members.push(`"tags":${JSON.stringify(job.tags)}`);
  if (job.group !== '') members.push(`"group":${JSON.stringify(job.group)}`);
  return [
    `curl -X POST ${quote(origin + served('/v1/jobs'))} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -H "Authorization: Bearer $TROUPE_TOKEN" \\`,
    `  -d ${quote(`{${members.join(',')}}`)}`,
  ].join('\n');
}

/** As one word of a POSIX shell. */
export function quote(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}
