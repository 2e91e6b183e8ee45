import type { Artifact } from '@troupe/client';
import { useState } from 'react';
import { bytes } from '../../studio/words';
import { ErrorState, JsonViewer, Loading, visible, Words } from '../parts';
import { send, useAsk } from '../ask';

/** Text that is fetched to be shown; of more there is the download. */
const maxText = 2 << 20;

export function Artifacts({ artifacts }: { artifacts: readonly Artifact[] }) {
  const [open, setOpen] = useState<string | null>(artifacts.findLast((one) => kindOf(one) !== null)?.name ?? null);
  const shown = artifacts.find(({ name }) => name === open);
  return (
    <div className="artifacts">
      <ul className="artifact-list">
        {artifacts.map((artifact) => (
          <li key={artifact.name} data-open={artifact.name === open}>
            <button
              type="button"
              aria-pressed={artifact.name === open}
              disabled={kindOf(artifact) === null}
              onClick={() => setOpen(artifact.name === open ? null : artifact.name)}
            >
              <b>{visible(artifact.name)}</b>
              <span className="hint">
                {visible(artifact.type)}
                {artifact.bytes !== null && `, ${bytes(artifact.bytes)}`}
              </span>
            </button>
            <a className="quiet" href={artifact.url} download aria-label={`Download ${artifact.name}`}>
              Download
            </a>
          </li>
        ))}
      </ul>
      {shown && <Preview key={shown.url} artifact={shown} poster={artifacts.find(isStill)?.url} />}
    </div>
  );
}

type Kind = 'video' | 'audio' | 'image' | 'json' | 'text';

function kindOf({ type, bytes }: Artifact): Kind | null {
  const [top = ''] = type.split('/');
  if (top === 'video' || top === 'audio' || top === 'image') return top;
  if ((bytes ?? 0) > maxText) return null;
  if (/[/+]json\b/.test(type)) return 'json';
  return top === 'text' || /[/+]xml\b|yaml|csv/.test(type) ? 'text' : null;
}

function isStill({ name, type }: Artifact): boolean {
  return type.startsWith('image/') && /^(poster|preview|thumbnail)/i.test(name);
}

function Preview({ artifact, poster }: { artifact: Artifact; poster: string | undefined }) {
  const [broken, setBroken] = useState(false);
  const name = visible(artifact.name);
  const onError = () => setBroken(true);
  if (broken) return <p className="artifact-broken">This can’t be shown here. It can still be downloaded.</p>;
  switch (kindOf(artifact)) {
    case 'video':
      // No captions: what is generated has no speech.
      return <video className="artifact-media" src={artifact.url} poster={poster} aria-label={name} controls playsInline preload="metadata" onError={onError} />;
    case 'audio':
      return <audio className="artifact-sound" src={artifact.url} aria-label={name} controls preload="metadata" onError={onError} />;
    case 'image':
      return <img className="artifact-media" src={artifact.url} alt={name} onError={onError} />;
    case 'json':
    case 'text':
      return <Text artifact={artifact} />;
    default:
      return null;
  }
}

function Text({ artifact }: { artifact: Artifact }) {
  const { data, problem, reload } = useAsk(artifact.url, async (signal) => (await send(ownPath(artifact.url), { signal, headers: { Accept: '*/*' } })).text());
  if (problem) return <ErrorState problem={problem} onRetry={reload} />;
  if (data === undefined) return <Loading rows={4} />;
  if (kindOf(artifact) === 'json') return <JsonViewer source={data} label={artifact.name} />;
  return (
    <div className="artifact-text">
      <Words text={data} limit={20_000} />
    </div>
  );
}

/** Requests put the prefix of the pages before a path by themselves. */
function ownPath(url: string): string {
  return url.slice(url.indexOf('/v1/'));
}
