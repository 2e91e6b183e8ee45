import { type ReactNode, useEffect } from 'react';

/** The frame of a room: its heading, what can be done at the right of it, and its content. */
export function Page({ title, lead, actions, children }: { title: ReactNode; lead?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <div className="page">
      <div className="page-head">
        <div className="page-title">
          <h1 tabIndex={-1}>{title}</h1>
          {lead && <p className="page-lead">{lead}</p>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

/** A part of a page on a sheet of its own. */
export function Panel({ title, actions, children, flush }: { title?: ReactNode; actions?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className={flush ? 'sheet flush' : 'sheet'}>
      {(title || actions) && (
        <div className="sheet-head">
          {title && <h2>{title}</h2>}
          {actions && <div className="sheet-actions">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/** One figure with its name. */
export function Figure({ label, value, note, tone, children }: { label: string; value: ReactNode; note?: ReactNode; tone?: 'good' | 'warm' | 'bad'; children?: ReactNode }) {
  return (
    <div className="figure" data-tone={tone}>
      <p className="figure-label">{label}</p>
      <p className="figure-value">{value}</p>
      {note && <p className="figure-note">{note}</p>}
      {children}
    </div>
  );
}

/** The tab's title while the page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Troupe`;
  }, [title]);
}
