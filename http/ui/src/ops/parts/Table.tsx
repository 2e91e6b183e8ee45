import { type KeyboardEvent, type MouseEvent, type ReactNode, useRef } from 'react';
import { useKeys } from '../frame/keys';

export interface Column<Row> {
  id: string;
  title: ReactNode;
  cell(row: Row): ReactNode;
  /** Figures stand at the right. */
  align?: 'end';
  /** Left out on narrow screens. */
  wide?: boolean;
  /** Takes the room that is left, and cuts what is longer. */
  grow?: boolean;
}

interface Props<Row> {
  /** What the rows are: read out before the table. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  /** Enter and a click beside links and buttons. */
  onOpen?(row: Row): void;
  /** Makes a column of boxes; x toggles. */
  selection?: { has(key: string): boolean; toggle(key: string): void; all(on: boolean): void };
  /** Further keys for the row that has the focus: { r: retry }. */
  keys?: Record<string, (row: Row) => void>;
  /** Marks rows that changed, came or are bad. */
  toneOf?(row: Row): 'bad' | 'warm' | undefined;
}

/** Rows that are walked with j and k (and the arrows, once one has the focus), opened with Enter, chosen with x. */
export function Table<Row>({ label, columns, rows, keyOf, onOpen, selection, keys, toneOf }: Props<Row>) {
  const body = useRef<HTMLTableSectionElement>(null);

  function focused(): number {
    const row = document.activeElement?.closest('tr');
    return row && body.current?.contains(row) ? [...body.current.rows].indexOf(row) : -1;
  }

  function step(by: number): void {
    const at = focused();
    const to = at === -1 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
    const row = body.current?.rows[to];
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: 'nearest' });
  }

  function withRow(act: (row: Row) => void): () => void {
    return () => {
      const row = rows[focused()];
      if (row !== undefined) act(row);
    };
  }

  useKeys({
    j: { does: 'Next row', run: () => step(1) },
    k: { does: 'Row before', run: () => step(-1) },
    ...(selection && { x: { does: 'Choose the row', run: withRow((row) => selection.toggle(keyOf(row))) } }),
    ...Object.fromEntries(Object.entries(keys ?? {}).map(([key, act]) => [key, { run: withRow(act) }])),
  });

  function onKey(event: KeyboardEvent, row: Row): void {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') step(event.key === 'ArrowDown' ? 1 : -1);
    else if (event.key === 'Enter') onOpen?.(row);
    else return;
    event.preventDefault();
  }

  function onClick(event: MouseEvent, row: Row): void {
    const inner = (event.target as Element).closest('a, button, input, label, summary');
    if (inner === null && getSelection()?.isCollapsed !== false) onOpen?.(row);
  }

  const allChosen = selection !== undefined && rows.length > 0 && rows.every((row) => selection.has(keyOf(row)));
  return (
    <table className="table">
      <caption className="unseen">{label}</caption>
      <thead>
        <tr>
          {selection && (
            <th scope="col" className="choose">
              <input
                type="checkbox"
                aria-label="Choose all rows of this page"
                checked={allChosen}
                onChange={() => selection.all(!allChosen)}
              />
            </th>
          )}
          {columns.map((column) => (
            <th key={column.id} scope="col" className={classes(column)}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {rows.map((row) => {
          const key = keyOf(row);
          return (
            <tr
              key={key}
              tabIndex={-1}
              data-tone={toneOf?.(row)}
              data-opens={onOpen !== undefined}
              data-chosen={selection?.has(key)}
              onKeyDown={(event) => onKey(event, row)}
              onClick={(event) => onClick(event, row)}
            >
              {selection && (
                <td className="choose">
                  <input
                    type="checkbox"
                    aria-label={`Choose ${key}`}
                    checked={selection.has(key)}
                    onChange={() => selection.toggle(key)}
                  />
                </td>
              )}
              {columns.map((column) => (
                <td key={column.id} className={classes(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function classes<Row>({ align, wide, grow }: Column<Row>): string | undefined {
  return [align, wide && 'wide', grow && 'grow'].filter(Boolean).join(' ') || undefined;
}
