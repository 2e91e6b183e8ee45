import type { Gap, OutputChunk } from '@troupe/client';
import { CopyButton, visible } from '../parts';

/** Characters drawn: the end of what there is. */
const maxShown = 100_000;

/** What a job put out, in order; a new attempt is told from the one before. */
export function OutputView({ chunks }: { chunks: readonly (OutputChunk | Gap)[] }) {
  const whole = () => chunks.map((chunk) => (chunk.type === 'chunk' ? chunk.data : '')).join('');
  let left = maxShown;
  const shown: { attempt: number; text: string }[] = [];
  for (let i = chunks.length - 1; i >= 0 && left > 0; i--) {
    const chunk = chunks[i];
    if (chunk?.type !== 'chunk') continue;
    const text = chunk.data.slice(-left);
    left -= text.length;
    const next = shown[0];
    if (next?.attempt === chunk.attempt) next.text = text + next.text;
    else shown.unshift({ attempt: chunk.attempt, text });
  }
  return (
    <div className="output">
      <CopyButton text={whole} label="Copy output" />
      {/* It scrolls, so it can have the focus. */}
      <div className="output-box" tabIndex={0} role="region" aria-label="Output">
        {shown.map(({ attempt, text }) => (
          <div key={attempt}>
            {shown.length > 1 && <p className="output-attempt">Attempt {attempt}</p>}
            <bdi>{visible(text)}</bdi>
          </div>
        ))}
      </div>
    </div>
  );
}
