import { type Brief, Problem } from '../api';
import type { Job, Place } from '@troupe/client';
import type { Connected } from '../connection';
import type { Shown } from './advance';

/** "38 s", "4 min", "2 h". */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

export function ago(ms: number): string {
  if (ms < 60_000) return 'just now';
  if (ms < 48 * 3_600_000) return `${span(ms)} ago`;
  return `${Math.round(ms / 86_400_000)} days ago`;
}

export function percent(pct: number): string {
  return `${Math.floor(pct)} %`;
}

export function ordinal(n: number): string {
  const teen = n % 100 > 10 && n % 100 < 14;
  return `${n}${(!teen && ['th', 'st', 'nd', 'rd'][n % 10]) || 'th'}`;
}

export function bytes(n: number): string {
  return n < 1_000_000 ? `${Math.max(1, Math.round(n / 1_000))} kB` : `${(n / 1_000_000).toFixed(1)} MB`;
}

/** The title of a card. */
export function titleOf(brief: Brief | undefined): string {
  return brief?.prompt.trim() || 'Untitled video';
}

export const statusWords: Record<Job['status'], string> = {
  scheduled: 'Scheduled',
  queued: 'In line',
  processing: 'Rolling',
  retrying: 'Trying again',
  cancelling: 'Stopping',
  completed: 'Ready',
  failed: 'Didn’t work',
  cancelled: 'Cancelled',
};

/** What a job that does not run is waiting for. `local` turns the server's times into the page's. */
export function waitingWords(job: Job, place: Place | undefined, now: number, local: (at: number) => number): string {
  const next = job.attempt.nextAt ?? place?.until ?? job.waiting?.until ?? null;
  const left = next === null ? 0 : local(next) - now;
  const when = left > 0 ? ` in ${span(left)}` : '';
  if (job.status === 'retrying')
    return `Attempt ${job.attempt.n + 1} of ${job.attempt.max}, ${when ? `next${when}` : 'any moment'}`;
  if (job.status === 'scheduled') return when ? `Starts${when}` : 'Starts any moment';
  const position = place?.position ?? job.waiting?.position ?? null;
  const eta = place?.etaMs ? `, ready in about ${span(place.etaMs.p50)}` : '';
  switch (place?.reason ?? job.waiting?.reason) {
    case 'position':
    case 'queue_position':
      if (position === null) return `Waiting in line${eta}`;
      if (place?.capped) return `Behind ${position - 1} or more${eta}`;
      return position === 1 ? `Next in line${eta}` : `${ordinal(position)} in line${eta}`;
    case 'limit':
      return `Waiting for a free place${eta}`;
    case 'paused':
      return 'The queue is paused';
    case 'rate':
      return when ? `Held back for${when.slice(3)}` : 'Held back for a moment';
    default:
      return 'Waiting in line';
  }
}

/** Which attempt it is; empty for a first one that runs, which needs no words, and when all is over. */
export function attemptWords(job: Job): string {
  const { n, max } = job.attempt;
  if (job.status === 'retrying') return `Attempt ${n} of ${max} failed`;
  return n > 1 && !job.terminal ? `Attempt ${n} of ${max}` : '';
}

/** Why a job failed, for a person who wants a video and not a stack. */
export function failureWords(job: Job): string {
  const tries = job.attempt.n > 1 ? ` after ${job.attempt.n} attempts` : '';
  switch (job.error?.code) {
    case 'timeout':
      return `It took longer than allowed${tries}.`;
    case 'permanent':
    case 'invalid':
      return 'This can’t be made the way it was asked for.';
    case 'panic':
      return `Something broke on our side${tries}.`;
    case 'crashes':
      return 'The machines that worked on it kept stopping.';
    case 'no_handler':
      return 'Nothing here can make this kind of video at the moment.';
    default:
      return `The renderer gave up${tries}.`;
  }
}

/** What a screen reader is told when a job ends. */
export function endWords(job: Job, brief: Brief | undefined): string {
  const title = titleOf(brief);
  const name = title.length > 60 ? `${title.slice(0, 60)}…` : title;
  if (job.status === 'completed') return `Video ready: ${name}`;
  return job.status === 'cancelled' ? `Cancelled: ${name}` : `Video failed: ${name}. ${failureWords(job)}`;
}

/** Why a request was refused, and what to do about it. `kept` is what the page still has of it: "What you wrote is kept." */
export function problemWords(problem: unknown, kept = ''): string {
  if (!(problem instanceof Problem)) return 'Something unexpected happened in this page. Please try again.';
  const again = problem.retryMs ? `Please try again in ${span(problem.retryMs)}.` : 'Please try again in a moment.';
  switch (problem.status) {
    case 0:
      return join('The server can’t be reached.', kept, again);
    case 401:
      return 'You are signed out.';
    case 403:
      return `This isn’t allowed here. ${problem.detail}`.trim();
    case 404:
      return 'This video is no longer here.';
    case 409:
      return problem.code === 'already_ended'
        ? 'It had already ended.'
        : problem.detail || 'That isn’t possible right now.';
    case 413:
      return 'That is too long to be sent.';
    case 422:
      return problem.detail ? sentence(problem.detail, problem.field === null) : 'Something in the form can’t be used.';
    case 429:
      return `That was a lot at once. ${again}`;
    case 503:
      return join('The studio takes no new work right now.', kept, again);
    default:
      return join('Something went wrong on our side.', kept, again);
  }
}

function join(...sentences: string[]): string {
  return sentences.filter(Boolean).join(' ');
}

function sentence(words: string, alone: boolean): string {
  const start = alone ? words.charAt(0).toUpperCase() + words.slice(1) : words;
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

/** The connection in a word or two for the dot, and in a sentence for those who wonder. */
export function connectionWords(state: Pick<Connected, 'phase' | 'fault' | 'reason'>, online: boolean): { short: string; long: string } {
  switch (state.phase) {
    case 'live':
      return state.fault
        ? { short: 'Live, with trouble', long: 'The server has trouble: what you see may be a little old.' }
        : { short: 'Live', long: 'Every change shows as it happens.' };
    case 'idle':
    case 'connecting':
      return { short: 'Connecting', long: 'Connecting to the studio.' };
    case 'polling':
      return { short: 'Checking', long: 'Live updates don’t get through here, so this page asks every few seconds.' };
    case 'reconnecting':
      return online
        ? { short: 'Reconnecting', long: 'Reconnecting, your jobs keep running.' }
        : { short: 'Offline', long: 'You are offline, your jobs keep running.' };
    case 'signed_out':
      return { short: 'Signed out', long: 'Sign in to see your videos. Your jobs keep running.' };
    case 'closed':
      return { short: 'Disconnected', long: `${closedWords(state.reason)} Your jobs keep running.` };
  }
}

/** The stream is open, and nothing comes. */
export const silentWords = { short: 'Listening', long: 'Nothing was heard for a while. Your jobs keep running.' };

function closedWords(reason: string | null): string {
  if (reason === 'revoked' || reason === 'refused_403') return 'You no longer have access to the live updates.';
  if (reason === 'superseded') return 'Live updates continue in another place.';
  return 'Live updates have stopped.';
}

/** The tab's title: how far the jobs that have not ended are, all together. */
export function tabTitle(shown: readonly Shown[]): string {
  const live = shown.filter(({ job }) => !job.terminal);
  if (live.length === 0) return 'Troupe';
  return `(${percent(live.reduce((sum, { pct }) => sum + pct, 0) / live.length)}) Troupe`;
}
