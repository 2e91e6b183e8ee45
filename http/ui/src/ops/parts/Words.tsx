import { useState } from 'react';
import { visible } from './visible';

/** Characters that are shown of a long text at first. */
const cut = 2_000;

/** Text from outside, of any length and content: isolated from the direction of the text around it, folded when long. */
export function Words({ text, className, limit = cut }: { text: string; className?: string; limit?: number }) {
  const [whole, setWhole] = useState(false);
  const shown = whole || text.length <= limit ? text : text.slice(0, limit);
  return (
    <>
      <bdi className={className}>{visible(shown)}</bdi>
      {shown.length < text.length && (
        <button type="button" className="more-text" onClick={() => setWhole(true)}>
          … {(text.length - shown.length).toLocaleString('en')} more characters
        </button>
      )}
    </>
  );
}
