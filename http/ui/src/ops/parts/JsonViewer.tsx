import { useMemo, useState } from 'react';
import { type Node, parseLossless, write } from '../json/lossless';
import { CopyButton } from './CopyButton';
import { visible } from './visible';
import { Words } from './Words';

/** Members of one object or array that are drawn at once. */
const pageOf = 100;
/** Members up to which a level is open at first, and levels that are. */
const openSize = 30;
const openLevels = 2;

/** JSON of any size and from anybody: folded, drawn as it is opened, numbers to the last digit, text as text only. */
export function JsonViewer({ source, label }: { source: string | Node; label: string }) {
  const [node, mistake] = useMemo(() => read(source), [source]);
  const whole = () => (typeof source === 'string' && node === null ? source : node ? write(node, 2) : '');
  return (
    <div className="json" role="group" aria-label={label}>
      <CopyButton text={whole} label={`Copy ${label.toLowerCase()}`} />
      {node === null ? (
        <div className="json-raw">
          <p className="hint">Not JSON: {mistake}</p>
          <Words text={String(source)} />
        </div>
      ) : (
        <Value node={node} depth={0} />
      )}
    </div>
  );
}

function read(source: string | Node): [Node | null, string] {
  if (typeof source !== 'string') return [source, ''];
  try {
    return [parseLossless(source), ''];
  } catch (mistake) {
    return [null, mistake instanceof Error ? mistake.message : ''];
  }
}

function Value({ node, name, depth }: { node: Node; name?: string; depth: number }) {
  const key = name !== undefined && <span className="json-key">{visible(name)}</span>;
  if (node.type === 'object' || node.type === 'array') return <Branch node={node} name={key} depth={depth} />;
  return (
    <div className="json-line">
      {key}
      {node.type === 'string' ? (
        <span className="json-string">
          <Words text={JSON.stringify(node.value)} limit={1_000} />
        </span>
      ) : (
        <span className={`json-${node.type}`}>
          <Words text={node.raw} limit={1_000} />
        </span>
      )}
    </div>
  );
}

function Branch({ node, name, depth }: { node: Node & { type: 'object' | 'array' }; name: React.ReactNode; depth: number }) {
  const size = node.type === 'object' ? node.entries.length : node.items.length;
  const [open, setOpen] = useState(depth < openLevels && size <= openSize);
  const [shown, setShown] = useState(pageOf);
  const [start, end] = node.type === 'object' ? ['{', '}'] : ['[', ']'];
  if (size === 0) {
    return (
      <div className="json-line">
        {name}
        <span className="json-literal">
          {start}
          {end}
        </span>
      </div>
    );
  }
  return (
    <div className="json-branch">
      <button type="button" className="json-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="json-arrow" aria-hidden="true" />
        {name}
        <span className="json-size">
          {start}
          {!open && '…'}
          {!open && end} {size === 1 ? '1 member' : `${size.toLocaleString('en')} members`}
        </span>
      </button>
      {open && (
        <div className="json-members">
          {node.type === 'object'
            ? node.entries.slice(0, shown).map(([key, value], i) => <Value key={i} node={value} name={key} depth={depth + 1} />)
            : node.items.slice(0, shown).map((value, i) => <Value key={i} node={value} name={String(i)} depth={depth + 1} />)}
          {shown < size && (
            <button type="button" className="more-text" onClick={() => setShown(shown + pageOf * 5)}>
              … {(size - shown).toLocaleString('en')} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}
