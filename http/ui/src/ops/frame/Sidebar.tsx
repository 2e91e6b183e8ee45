import { Fragment } from 'react';
import { useStats } from '../live/hooks';
import { served } from '../../base';
import { Link } from '../router';
import { type Room, rooms } from '../rooms';
import { Wordmark } from '../../studio/Wordmark';

/** The rooms that have an icon, in their order. */
export function Sidebar({ path }: { path: string }) {
  const shown = rooms.filter((room) => room.icon !== undefined);
  return (
    <div className="sidebar">
      <Link className="sidebar-name" to="/ops" aria-label="Troupe, overview">
        <Wordmark />
      </Link>
      <nav aria-label="Pages">
        <ul>
          {shown.map((room, i) => (
            <Fragment key={room.path}>
              {room.group && room.group !== shown[i - 1]?.group && <li className="sidebar-group">{room.group}</li>}
              <li>
                <Link to={room.path} aria-current={isIn(room, path) ? 'page' : undefined} title={room.key && `g ${room.key}`}>
                  <svg viewBox="0 0 20 20" aria-hidden="true">
                    <path d={room.icon} />
                  </svg>
                  <span>{room.title}</span>
                  {room.path === '/ops/dead' && <DeadCount />}
                </Link>
              </li>
            </Fragment>
          ))}
        </ul>
      </nav>
      <a className="sidebar-studio" href={served('/studio')}>
        Studio
      </a>
    </div>
  );
}

function isIn({ path }: Room, at: string): boolean {
  return at === path || (path !== '/ops' && at.startsWith(`${path}/`));
}

function DeadCount() {
  const dead = useStats()?.totals.dead ?? 0;
  return dead > 0 ? <span className="sidebar-count">{dead > 999 ? '999+' : dead}</span> : null;
}
