import type { Status } from '../../stream';

const words: Record<Status, string> = {
  scheduled: 'Scheduled',
  queued: 'Queued',
  processing: 'Running',
  retrying: 'Retrying',
  cancelling: 'Cancelling',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** The status of a job, by word, form and colour. */
export function Badge({ status }: { status: Status }) {
  return (
    <span className="badge" data-status={status}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <Mark status={status} />
      </svg>
      {words[status]}
    </span>
  );
}

function Mark({ status }: { status: Status }) {
  switch (status) {
    case 'completed':
      return <path d="M2.500 6.500l2.500 2.500 4.500-5.500" />;
    case 'failed':
      return <path d="M3 3l6 6M9 3l-6 6" />;
    case 'cancelled':
    case 'cancelling':
      return <path d="M2.500 6h7" />;
    case 'processing':
      return <path className="full" d="M3.500 2l6 4-6 4z" />;
    case 'retrying':
      return <path d="M9.500 6a3.500 3.500 0 1 1-1.200-2.600M9.500 1.500v2.500h-2.500" />;
    case 'scheduled':
      return <path d="M6 3v3l2 1.500M6 1.200a4.800 4.800 0 1 1 0 9.600a4.800 4.800 0 0 1 0-9.600" />;
    case 'queued':
      return <path d="M2 3.500h8M2 6h8M2 8.500h5" />;
  }
}

/** A word of any kind in a frame: "paused", "this node". */
export function Chip({ tone = 'plain', children }: { tone?: 'plain' | 'good' | 'warm' | 'bad'; children: React.ReactNode }) {
  return (
    <span className="chip" data-tone={tone}>
      {children}
    </span>
  );
}
