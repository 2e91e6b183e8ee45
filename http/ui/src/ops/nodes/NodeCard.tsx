import { count, plural } from '../figures';
import { Chip, Duration, Time } from '../parts';
import { Meter } from '../queues/Meter';
import type { NodeInfo } from './nodes';

/** One node: how long it lives, what it runs. Choosing it shows its actors. */
export function NodeCard({ node, chosen, onChoose }: { node: NodeInfo; chosen: boolean; onChoose(): void }) {
  return (
    <li className="sheet node-card" data-chosen={chosen}>
      <button type="button" className="node-choose" aria-pressed={chosen} onClick={onChoose}>
        <span className="node-name">{node.name}</span>
        {node.self && <Chip>serves this page</Chip>}
        {node.draining && <Chip tone="warm">draining</Chip>}
      </button>
      <p className="hint">
        {node.version && <>{node.version}, </>}up <Duration from={node.startedAt} />
        {!node.self && (
          <>
            , heard <Time at={node.lastSeen} />
          </>
        )}
        , {plural(node.actors, 'job actor')}
      </p>
      <dl className="node-queues">
        {node.queues.map(({ name, running, limit }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Meter value={running} max={limit} label={`Running in ${name} on ${node.name}`} />
              {count(running)} of {count(limit)}
            </dd>
          </div>
        ))}
      </dl>
    </li>
  );
}
