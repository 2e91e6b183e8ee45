import type { Brief } from '../api';
import { useWatched } from '../watch';
import { Card } from './Card';
import { useStudio } from './context';

/** All cards, newest first. */
export function Wall({ onReuse }: { onReuse(brief: Brief): void }) {
  const studio = useStudio();
  const entries = useWatched(studio.entries);
  const { complete, phase } = useWatched(studio.connection);
  const older = useWatched(studio.older);
  const empty = entries.length === 0;
  return (
    <section className="wall" aria-label="Videos">
      {empty && (complete || older.read) && phase !== 'signed_out' && (
        <div className="empty">
          <div className="empty-stage" aria-hidden="true" />
          <p>The stage is empty.</p>
          <p className="hint">Describe a scene, and it will be made here while you watch.</p>
        </div>
      )}
      {!empty && (
        <ul className="cards">
          {entries.map((entry) => (
            <li key={entry.key}>
              <Card id={entry.id} draft={entry.draft} onReuse={onReuse} />
            </li>
          ))}
        </ul>
      )}
      {older.more && (
        <button
          type="button"
          className="quiet older"
          aria-disabled={older.loading}
          onClick={() => void studio.readOlder()}
        >
          {older.loading ? 'Loading…' : 'Show older videos'}
        </button>
      )}
    </section>
  );
}
