import type { Job } from '@troupe/client';

/** A term of a search: a qualifier with its value, or a bare word. */
export interface Term {
  name: string;
  value: string;
}

const term = /(?:([a-z][\w.]*):)?("(?:[^"\\]|\\.)*"?|[^\s"]\S*)/gi;

/** The terms of a search as a person writes them: status:failed payload.campaign:"spring sale" word. */
export function termsOf(q: string): Term[] {
  return [...q.matchAll(term)].map(([, name = '', value = '']) => ({ name: name.toLowerCase(), value: unquote(value) }));
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1).replace(/"$/, '').replace(/\\(.)/g, '$1') : value;
}

/** The search with another value of a qualifier, or without it. */
export function withTerm(q: string, name: string, value: string | null): string {
  const others = termsOf(q).filter((one) => one.name !== name);
  const terms = value === null || value === '' ? others : [{ name, value }, ...others];
  return terms.map(writeTerm).join(' ');
}

function writeTerm({ name, value }: Term): string {
  const plain = /^[^\s"]+$/.test(value) && (name !== '' || !value.includes(':'));
  const written = plain ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
  return name === '' ? written : `${name}:${written}`;
}

const known = ['status', 'kind', 'queue', 'owner', 'batch', 'id'];

/** Whether this page can tell by itself which jobs fit. */
export function isPlain(q: string): boolean {
  return termsOf(q).every(({ name }) => known.includes(name));
}

/** Whether a job fits, as far as this page can tell: what only the server can tell counts as fitting. */
export function mayFit(q: string): (job: Job) => boolean {
  const tests = termsOf(q).flatMap(({ name, value }) => {
    const any = value.split(',');
    switch (name) {
      case 'status':
        return (job: Job) => any.includes(job.status);
      case 'kind':
        return (job: Job) => any.includes(job.kind);
      case 'queue':
        return (job: Job) => any.includes(job.queue);
      case 'owner':
        return (job: Job) => any.includes(job.owner ?? '');
      case 'batch':
        return (job: Job) => any.includes(job.batch ?? '');
      case 'id':
        return (job: Job) => any.includes(job.id);
      default:
        return [];
    }
  });
  return (job) => tests.every((fits) => fits(job));
}

/** What can be asked for, with words for it. */
export const qualifiers: readonly { name: string; example: string; does: string }[] = [
  { name: 'status:', example: 'status:failed,retrying', does: 'one or more statuses' },
  { name: 'kind:', example: 'kind:video.generate', does: 'the kind of job' },
  { name: 'queue:', example: 'queue:video', does: 'the queue' },
  { name: 'fingerprint:', example: 'fingerprint:641d6a9e70842039', does: 'failures of one kind' },
  { name: 'error:', example: 'error:timeout', does: 'words of the error' },
  { name: 'payload.', example: 'payload.campaign:"spring sale"', does: 'a member of the payload' },
  { name: 'age:', example: 'age:>1h', does: 'older or younger than' },
  { name: 'created:', example: 'created:>2026-11-01', does: 'made after or before' },
  { name: 'owner:', example: 'owner:u1', does: 'whose job it is' },
  { name: 'tag:', example: 'tag:campaign', does: 'a tag' },
  { name: 'group:', example: 'group:g1', does: 'jobs of a group' },
  { name: 'batch:', example: 'batch:b1', does: 'jobs of a batch' },
  { name: 'id:', example: 'id:0190…', does: 'one job' },
];
