import { say } from './Toasts';

/** Copies a text. */
export function CopyButton({ text, label, words = 'Copy' }: { text: string | (() => string); label?: string; words?: string }) {
  async function copy(): Promise<void> {
    const value = typeof text === 'string' ? text : text();
    try {
      await navigator.clipboard.writeText(value);
      say('Copied', { tone: 'good' });
    } catch {
      say(copyByHand(value) ? 'Copied' : 'The browser does not let this page copy', { tone: 'plain' });
    }
  }
  return (
    <button type="button" className="quiet copy" aria-label={label} onClick={() => void copy()}>
      {words}
    </button>
  );
}

/** The clipboard is there on https and localhost only. */
function copyByHand(value: string): boolean {
  const area = document.body.appendChild(document.createElement('textarea'));
  area.value = value;
  area.className = 'unseen';
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
