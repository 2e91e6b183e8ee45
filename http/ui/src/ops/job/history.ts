import { type Status, statuses } from '@troupe/client';
import { isObject, number, object, text, textOrNull, timeOrNull } from '../../json';

/** One line of a job's history. */
export interface Transition {
  rev: number;
  at: number;
  event: string;
  status: Status;
  life: number;
  attempt: number;
  node: string;
  note: string;
  failure: { code: string; message: string; fingerprint: string; stack: string } | null;
  runAt: number | null;
}

export function decodeHistory(value: unknown): Transition[] {
  const { events } = object(value);
  return (Array.isArray(events) ? events : []).filter(isObject).flatMap((line) => {
    const at = timeOrNull(line.at);
    const status = statuses.find((known) => known === line.status);
    if (at === null || status === undefined) return [];
    const failure = isObject(line.failure) ? line.failure : null;
    return [
      {
        rev: number(line.rev),
        at,
        event: text(line.event),
        status,
        life: number(line.life, 1),
        attempt: number(line.attempt),
        node: text(line.node),
        note: text(line.note),
        failure: failure && {
          code: text(failure.code),
          message: text(failure.message),
          fingerprint: text(failure.fingerprint),
          stack: textOrNull(failure.stack) ?? '',
        },
        runAt: timeOrNull(line.run_at),
      },
    ];
  });
}

/** A span of the time axis in which the job was in one place. */
export interface Segment {
  type: 'wait' | 'run';
  /** Of a wait: queued, scheduled, retrying. */
  status: Status;
  life: number;
  /** Of a run: its number. Of a wait: the one that comes. */
  attempt: number;
  node: string;
  from: number;
  /** Null while it lasts. */
  to: number | null;
  /** How a run ended, if not well. */
  end: 'failed' | 'lost' | 'handed back' | 'cancelled' | 'completed' | null;
}

/** Something that happened at a moment. */
export interface Mark {
  at: number;
  event: string;
  words: string;
  tone: 'plain' | 'good' | 'warm' | 'bad';
}

export interface Timeline {
  from: number;
  /** Null while the job lives. */
  to: number | null;
  segments: Segment[];
  marks: Mark[];
}

/** More checkpoints say nothing: they are left to the list of commits. */
const maxCheckpoints = 12;
const maxMarks = 300;

const waiting: readonly Status[] = ['queued', 'scheduled', 'retrying'];
const running: readonly Status[] = ['processing', 'cancelling'];

/** What a history says on one axis: waits, attempts with the node of each, and what happened in between. */
export function timelineOf(history: readonly Transition[]): Timeline | null {
  const lines = [...history].sort((a, b) => a.rev - b.rev);
  const [first] = lines;
  const last = lines.at(-1);
  if (first === undefined || last === undefined) return null;
  const segments: Segment[] = [];
  let before = '';
  for (const line of lines) {
    const open = segments.at(-1);
    const current = open?.to === null ? open : undefined;
    const runs = running.includes(line.status);
    const waits = waiting.includes(line.status);
    const taken = line.event === 'Claimed' && current?.type === 'run';
    const same = current && !taken && current.type === (runs ? 'run' : 'wait') && current.life === line.life && (runs || current.status === line.status);
    if (same && (runs || waits)) continue;
    if (current) {
      current.to = line.at;
      if (current.type === 'run') current.end = taken ? 'lost' : endOf(line);
    }
    if (runs || waits) {
      const attempt = runs ? line.attempt : line.attempt + 1;
      segments.push({ type: runs ? 'run' : 'wait', status: line.status, life: line.life, attempt, node: line.node, from: line.at, to: null, end: null });
    }
  }
  const marks = lines.flatMap((line) => {
    const mark = markOf(line, before);
    if (running.includes(line.status) && line.node !== '') before = line.node;
    return mark ?? [];
  });
  const ended = !runsOrWaits(last.status);
  const checkpoints = marks.filter(({ event }) => event === 'Checkpointed').length;
  const drawn = checkpoints > maxCheckpoints ? marks.filter(({ event }) => event !== 'Checkpointed') : marks;
  return { from: first.at, to: ended ? last.at : null, segments, marks: drawn.slice(-maxMarks) };
}

function runsOrWaits(status: Status): boolean {
  return running.includes(status) || waiting.includes(status);
}

function endOf({ event, status }: Transition): Segment['end'] {
  if (status === 'completed' || status === 'cancelled') return status;
  if (event === 'AttemptFailed' || status === 'failed') return 'failed';
  return event === 'Released' || event === 'Snoozed' ? 'handed back' : null;
}

function markOf(line: Transition, nodeBefore: string): Mark | null {
  const mark = (words: string, tone: Mark['tone'] = 'plain'): Mark => ({ at: line.at, event: line.event, words, tone });
  switch (line.event) {
    case 'Claimed':
      return nodeBefore !== '' && nodeBefore !== line.node ? mark(`Moved from ${nodeBefore} to ${line.node}`, 'warm') : null;
    case 'ArtifactStored':
      return mark(`Stored ${line.note || 'an artifact'}`, 'good');
    case 'Checkpointed':
      return mark('Left a checkpoint');
    case 'AttemptFailed':
      return mark(`Attempt ${line.attempt} failed: ${line.failure?.message ?? line.note}`, 'bad');
    case 'CancelRequested':
      return mark(`Cancel asked for${line.note && `: ${line.note}`}`, 'warm');
    case 'Hastened':
      return mark('Told to run now');
    case 'Redriven':
      return mark(`Life ${line.life} began`, 'warm');
    case 'Released':
      return mark(`Handed back${line.note && `: ${line.note}`}`, 'warm');
    default:
      return null;
  }
}

/** The segments of each life and attempt, in order: a wait stands with the attempt that it led to. */
export function lanesOf(segments: readonly Segment[]): { life: number; attempt: number; segments: Segment[] }[] {
  const lanes: { life: number; attempt: number; segments: Segment[] }[] = [];
  for (const segment of segments) {
    const lane = lanes.at(-1);
    if (lane && lane.life === segment.life && lane.attempt === segment.attempt) lane.segments.push(segment);
    else lanes.push({ life: segment.life, attempt: segment.attempt, segments: [segment] });
  }
  return lanes;
}
