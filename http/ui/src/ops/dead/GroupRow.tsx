import { useId } from 'react';
import { count } from '../figures';
import { Chip, Time, Words } from '../parts';
import type { Verb } from './bulk';
import type { Filter, Group } from './groups';
import { Letters } from './Letters';

interface Props {
  group: Group;
  /** What the groups were narrowed to: a group is of no more than that. */
  filter: Filter;
  open: boolean;
  onToggle(): void;
  onBulk(verb: Verb): void;
  onChange(): void;
}

/** Dead letters that failed alike: what happened, how often, since when, and the jobs behind it. */
export function GroupRow({ group, filter, open, onToggle, onBulk, onChange }: Props) {
  const id = useId();
  const many = `${count(group.count)}${group.capped ? '+' : ''}`;
  return (
    <li className="group" data-open={open}>
      <div className="group-head">
        <button type="button" className="group-toggle" aria-expanded={open} aria-controls={id} onClick={onToggle} data-group={group.key}>
          <span className="group-count">{many}</span>
          <span className="group-what">
            <span className="group-message">{group.message ? <Words text={group.message.slice(0, 300)} /> : <span className="none">no message</span>}</span>
            <span className="group-facts">
              <span className="mono">{group.kind}</span>
              {group.queue && <span>{group.queue}</span>}
              {group.code && group.code !== 'error' && <Chip tone="bad">{group.code}</Chip>}
            </span>
          </span>
        </button>
        <p className="group-times">
          <span>
            last <Time at={group.last} />
          </span>
          <span>
            first <Time at={group.first} />
          </span>
        </p>
        <div className="group-actions">
          <button type="button" className="quiet" onClick={() => onBulk('redrive')} aria-label={`Redrive ${many} of ${group.kind}`}>
            Redrive…
          </button>
          <button type="button" className="quiet" onClick={() => onBulk('delete')} aria-label={`Delete ${many} of ${group.kind}`}>
            Delete…
          </button>
        </div>
      </div>
      <div id={id} className="group-jobs" hidden={!open}>
        {open && <Letters group={group} filter={filter} onChange={onChange} />}
      </div>
    </li>
  );
}
