import type { ReactNode } from 'react';
import type { Problem } from '../../api';
import { Words } from './Words';

/** There is nothing to show, and that is all right. Children say what would make it otherwise. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <svg className="state-lamp" viewBox="0 0 120 72" aria-hidden="true">
        <path className="beam" d="M56 8h8l34 52H22z" />
        <ellipse className="pool" cx="60" cy="60" rx="38" ry="6" />
        <path className="lamp" d="M53 2h14v7H53z" />
      </svg>
      <p className="state-title">{title}</p>
      {children && <div className="state-more">{children}</div>}
    </div>
  );
}

/** A question to the server failed. */
export function ErrorState({ problem, onRetry }: { problem: Problem; onRetry?(): void }) {
  return (
    <div className="state" data-tone="bad" role="alert">
      <p className="state-title">{problemTitle(problem)}</p>
      {problem.detail && (
        <p className="state-more">
          <Words text={problem.detail} limit={600} />
        </p>
      )}
      {onRetry && (
        <button type="button" className="quiet" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function problemTitle(problem: Problem): string {
  switch (problem.status) {
    case 0:
      return problem.code === 'network' ? 'The server can’t be reached' : 'Something broke in this page';
    case 401:
      return 'You are signed out';
    case 403:
      return 'You may not see this';
    case 404:
      return 'There is nothing of this name';
    case 422:
      return 'The question can’t be used';
    case 429:
      return 'Too many questions at once';
    case 501:
      return 'This server can’t do that';
    case 503:
      return 'The server can’t answer right now';
    default:
      return `The server answered ${problem.status}`;
  }
}

/** Bars in place of what is being loaded; nothing for the first moment, so that quick answers don't flicker. */
export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div className="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="loading-bar" />
      ))}
    </div>
  );
}
