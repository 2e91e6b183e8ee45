import type { Gap, LogLine } from '@troupe/client';
import { useEffect, useRef, useState } from 'react';
import { clockTime, visible } from '../parts';

/** Pixels of a line; only those in sight are in the document. */
const lineHeight = 20;
const around = 10;
/** Characters of a line that are drawn in the list; all of it below when it is chosen. */
const lineChars = 1_000;

/** A log of any length: follows its end until somebody scrolls up, and jumps from error to error. */
export function LogView({ lines, live }: { lines: readonly (LogLine | Gap)[]; live: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(360);
  const [follow, setFollow] = useState(true);
  const [chosen, setChosen] = useState<number | null>(null);
  const errors = lines.flatMap((line, i) => (line.type === 'log' && line.level === 'error' ? i : []));

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    setHeight(element.clientHeight);
    if (follow) element.scrollTop = element.scrollHeight;
  }, [lines, follow]);

  function onScroll(): void {
    const element = box.current;
    if (element === null) return;
    setTop(element.scrollTop);
    setFollow(element.scrollTop + element.clientHeight >= element.scrollHeight - lineHeight);
  }

  function jump(): void {
    const from = chosen ?? Math.floor(top / lineHeight) - 1;
    const to = errors.find((i) => i > from) ?? errors[0];
    if (to === undefined || box.current === null) return;
    setFollow(false);
    setChosen(to);
    box.current.scrollTop = Math.max(0, to * lineHeight - height / 3);
  }

  if (lines.length === 0) return <p className="hint">{live ? 'No line yet.' : 'It wrote no lines.'}</p>;
  const first = Math.max(0, Math.floor(top / lineHeight) - around);
  const last = Math.min(lines.length, Math.ceil((top + height) / lineHeight) + around);
  const open = chosen === null ? undefined : lines[chosen];
  return (
    <div className="log">
      <div className="log-bar">
        <span className="hint">
          {lines.length.toLocaleString('en')} lines{errors.length > 0 && `, ${errors.length} errors`}
        </span>
        {errors.length > 0 && (
          <button type="button" className="quiet" onClick={jump}>
            Jump to error
          </button>
        )}
        <label className="check">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} />
          Follow
        </label>
      </div>
      <div className="log-box" ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label="Log lines">
        <div className="log-all" style={{ '--height': `${lines.length * lineHeight}px` } as React.CSSProperties}>
          <ol className="log-lines" style={{ '--top': `${first * lineHeight}px` } as React.CSSProperties}>
            {lines.slice(first, last).map((line, i) => (
              <Line key={first + i} line={line} chosen={first + i === chosen} onChoose={() => setChosen(first + i)} />
            ))}
          </ol>
        </div>
      </div>
      {open?.type === 'log' && (
        <div className="log-open">
          <bdi>{visible(open.text)}</bdi>
        </div>
      )}
    </div>
  );
}

function Line({ line, chosen, onChoose }: { line: LogLine | Gap; chosen: boolean; onChoose(): void }) {
  if (line.type === 'gap') return <li className="log-gap">lines that are no longer kept</li>;
  return (
    <li className="log-line" data-level={line.level} data-chosen={chosen} onClick={onChoose}>
      <span className="log-at">{line.at === null ? '' : clockTime(line.at)}</span>
      <span className="log-level">{visible(line.level.slice(0, 5))}</span>
      <span className="log-attempt">#{line.attempt}</span>
      <bdi>{visible(line.text.slice(0, lineChars).replace(/\s*\n\s*/g, ' ⏎ '))}</bdi>
    </li>
  );
}
