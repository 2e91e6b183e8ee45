import { useState } from 'react';
import { clockTime, duration, useSecond, visible } from '../parts';
import { lanesOf, type Segment, type Timeline } from './history';
import type { SeenStage } from './useStages';

/** Lanes drawn at first; a job may have hundreds. */
const maxLanes = 12;

/** One axis for everything that befell a job. */
export function TimelineView({ timeline, stages }: { timeline: Timeline; stages: readonly SeenStage[] }) {
  const now = useSecond();
  const [all, setAll] = useState(false);
  const lanes = lanesOf(timeline.segments);
  const shown = all ? lanes : lanes.slice(-maxLanes);
  const lives = new Set(lanes.map(({ life }) => life)).size;
  const begin = shown[0]?.segments[0]?.from ?? timeline.from;
  const end = Math.max(timeline.to ?? Math.max(now, begin), begin + 1);
  const at = (time: number) => Math.min(100, Math.max(0, ((time - begin) / (end - begin)) * 100));
  const marks = timeline.marks.filter((mark) => mark.at >= begin);
  return (
    <div className="timeline">
      {shown.length < lanes.length && (
        <button type="button" className="more-text" onClick={() => setAll(true)}>
          … {lanes.length - shown.length} earlier attempts
        </button>
      )}
      <ol className="lanes">
        {shown.map((lane, i) => (
          <li key={`${lane.life}/${lane.attempt}`} className="lane">
            <p className="lane-name">
              {lane.segments.some(({ type }) => type === 'run') ? `Attempt ${lane.attempt}` : 'Waiting'}
              {lives > 1 && <span className="hint"> life {lane.life}</span>}
            </p>
            <div className="lane-track">
              {lane.segments.map((segment) => (
                <Span key={`${segment.from}/${segment.type}`} segment={segment} at={at} end={end} />
              ))}
              {lane === lanes.at(-1) && stages.map((stage) => <StageSpan key={stage.from} stage={stage} at={at} end={end} />)}
            </div>
            <p className="lane-note">{laneWords(lane.segments, end, nodeOf(shown[i - 1]?.segments))}</p>
          </li>
        ))}
        <li className="lane axis" aria-hidden="true">
          <p className="lane-name" />
          <div className="lane-track">
            {marks.map((mark, i) => (
              <span key={i} className="mark" data-tone={mark.tone} style={{ '--at': at(mark.at) } as React.CSSProperties} title={visible(mark.words.slice(0, 300))} />
            ))}
            <span className="axis-from">{clockTime(begin)}</span>
            <span className="axis-to">{timeline.to === null ? 'now' : `+${duration(end - begin)}`}</span>
          </div>
          <p className="lane-note" />
        </li>
      </ol>
    </div>
  );
}

type At = (time: number) => number;

function Span({ segment, at, end }: { segment: Segment; at: At; end: number }) {
  const from = at(segment.from);
  const size = at(segment.to ?? end) - from;
  return (
    <span
      className="span"
      data-type={segment.type}
      data-end={segment.end ?? (segment.to === null ? 'open' : 'none')}
      style={{ '--at': from, '--size': size } as React.CSSProperties}
      title={segmentWords(segment, end)}
    />
  );
}

function StageSpan({ stage, at, end }: { stage: SeenStage; at: At; end: number }) {
  const from = at(stage.from);
  return (
    <span
      className="stage-span"
      style={{ '--at': from, '--size': at(stage.to ?? end) - from } as React.CSSProperties}
      title={`${visible(stage.name)}: ${duration((stage.to ?? end) - stage.from)}`}
    >
      <span>{visible(stage.name)}</span>
    </span>
  );
}

function segmentWords(segment: Segment, end: number): string {
  const took = duration((segment.to ?? end) - segment.from);
  if (segment.type === 'wait') return `Waited ${took}`;
  const how = segment.end === 'lost' ? ', then its node was lost' : segment.end ? `, ${segment.end}` : '';
  return `Ran ${took} on ${segment.node || 'a node'}${how}`;
}

function nodeOf(segments: readonly Segment[] | undefined): string {
  return segments?.findLast(({ type }) => type === 'run')?.node ?? '';
}

/** The node is named where it is another than before. */
function laneWords(segments: readonly Segment[], end: number, nodeBefore: string): string {
  const sum = (type: Segment['type']) =>
    segments.filter((one) => one.type === type).reduce((ms, one) => ms + (one.to ?? end) - one.from, 0);
  const runs = segments.filter(({ type }) => type === 'run');
  const nodes = [...new Set(runs.map(({ node }) => node).filter(Boolean))].join(' → ');
  const moved = nodeBefore !== '' && nodes !== nodeBefore;
  const waited = sum('wait');
  const parts = [waited >= 100 ? `waited ${duration(waited)}` : '', runs.length > 0 ? `ran ${duration(sum('run'))}` : '', moved || runs.length > 1 ? `on ${nodes}` : ''];
  const how = runs.at(-1)?.end;
  return [parts.filter(Boolean).join(', '), how && how !== 'completed' ? how : ''].filter(Boolean).join(' · ');
}
