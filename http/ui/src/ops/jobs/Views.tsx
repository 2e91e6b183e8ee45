import { Link } from '../router';
import { termsOf, withTerm } from './query';

const views: readonly { title: string; status: string }[] = [
  { title: 'All', status: '' },
  { title: 'Running', status: 'processing,cancelling' },
  { title: 'Waiting', status: 'queued' },
  { title: 'Scheduled', status: 'scheduled' },
  { title: 'Retrying', status: 'retrying' },
  { title: 'Failed', status: 'failed' },
  { title: 'Completed', status: 'completed' },
  { title: 'Cancelled', status: 'cancelled' },
];

/** The statuses, one click each. The rest of the search stays. */
export function Views({ q }: { q: string }) {
  const status = termsOf(q).find(({ name }) => name === 'status')?.value ?? '';
  return (
    <nav className="views" aria-label="By status">
      {views.map((view) => {
        const to = withTerm(q, 'status', view.status);
        return (
          <Link
            key={view.title}
            to={`/ops/jobs${to === '' ? '' : `?${new URLSearchParams({ q: to })}`}`}
            aria-current={status === view.status ? 'true' : undefined}
          >
            {view.title}
          </Link>
        );
      })}
    </nav>
  );
}
