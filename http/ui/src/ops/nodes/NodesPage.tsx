import './nodes.css';
import { useEffect, useState } from 'react';
import { isAbsent } from '../ask';
import { count, plural } from '../figures';
import { EmptyState, ErrorState, Loading, Page, Panel } from '../parts';
import { useQuery } from '../router';
import { ActorTree } from './ActorTree';
import { NodeCard } from './NodeCard';
import { type Actor, type NodeInfo, useNodes, useTree } from './nodes';
import { isTroubled } from './rows';

const looksLikeId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The machines there are, and what lives on one of them. */
export default function NodesPage() {
  const nodes = useNodes(3_000);
  const [node, setNode] = useQuery('node');
  const chosen = node || (nodes.data?.find(({ self }) => self)?.name ?? '');
  return (
    <Page title="Nodes & actors" lead={nodes.data && lead(nodes.data)}>
      {nodes.problem && !isAbsent(nodes.problem) && <ErrorState problem={nodes.problem} onRetry={nodes.reload} />}
      {nodes.data === undefined && nodes.problem === null && <Loading rows={4} />}
      {nodes.data && (
        <ul className="node-cards" aria-label="Nodes">
          {nodes.data.map((one) => (
            <NodeCard key={one.name} node={one} chosen={one.name === chosen} onChoose={() => setNode(one.self ? '' : one.name)} />
          ))}
        </ul>
      )}
      <Actors node={node} />
    </Page>
  );
}

function lead(nodes: readonly NodeInfo[]): string {
  const versions = new Set(nodes.map(({ version }) => version).filter(Boolean));
  const mixed = versions.size > 1 ? ` They run ${versions.size} versions.` : '';
  return `${plural(nodes.length, 'node')}, ${plural(nodes.reduce((sum, { actors }) => sum + actors, 0), 'job actor')}.${mixed}`;
}

function Actors({ node }: { node: string }) {
  const [find, setFind] = useQuery('find');
  const [words, setWords] = useState(find);
  useEffect(() => setWords(find), [find]);
  const job = looksLikeId.test(find.trim()) ? find.trim().toLowerCase() : '';
  const { data: tree, problem, reload } = useTree(node, job);
  const troubled = tree ? countOf(tree.root, isTroubled) : 0;
  return (
    <Panel
      flush
      title={tree ? `Actors of ${tree.node}` : 'Actors'}
      actions={
        <>
          {troubled > 0 && (
            <button type="button" className="quiet trouble" onClick={() => setFind(find === 'stalled' ? '' : 'stalled')}>
              {count(troubled)} in trouble
            </button>
          )}
          <input
            type="search"
            className="input tree-search"
            aria-label="Search actors"
            placeholder="Name, kind, state or job id"
            value={words}
            maxLength={128}
            onChange={(event) => {
              setWords(event.target.value);
              setFind(event.target.value, { replace: true });
            }}
          />
        </>
      }
    >
      {problem && (tree === undefined || !isAbsent(problem)) && <ErrorState problem={problem} onRetry={reload} />}
      {!problem && tree === undefined && <Loading rows={8} />}
      {tree && !problem && <ActorTree key={tree.node} tree={tree} words={job === '' ? find : ''} />}
      {tree && job !== '' && tree.root.children.every((child) => child.kind !== 'supervisor' || child.children.length === 0) && (
        <EmptyState title="That job has no actor here">Only a job that runs has one. Others wait in the inbox, or have ended.</EmptyState>
      )}
    </Panel>
  );
}

function countOf(actor: Actor, is: (actor: Actor) => boolean): number {
  return Number(is(actor)) + actor.children.reduce((sum, child) => sum + countOf(child, is), 0);
}
