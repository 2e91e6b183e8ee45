import { useEffect, useRef } from 'react';
import { Cell } from '@troupe/client';
import { useWatched } from '../../watch';

interface Toast {
  id: number;
  words: string;
  tone: 'plain' | 'good' | 'bad';
  undo?: () => void;
}

/** A message stays this long; with an undo it is the time to take back. */
const stayMs = 6_000;
/** Messages to a screen reader are at least this far apart; between them they are put together. */
const spokenMs = 5_000;
const maxToasts = 4;

const toasts = new Cell<readonly Toast[]>([]);
let count = 0;

function drop(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

/** Tells a person that something happened, in a corner and to screen readers. With undo there is a button for it. */
export function say(words: string, more: { tone?: Toast['tone']; undo?: () => void } = {}): void {
  const id = ++count;
  toasts.set([...toasts.get().slice(1 - maxToasts), { id, words, tone: more.tone ?? 'plain', ...(more.undo && { undo: more.undo }) }]);
  setTimeout(() => drop(id), stayMs);
}

/** The place of the messages, once on the page. */
export function Toasts() {
  const shown = useWatched(toasts);
  const region = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    let told = 0;
    let words: string[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const speak = () => {
      timer = undefined;
      if (region.current) region.current.textContent = words.join('. ');
      if (words.length > 0) timer = setTimeout(speak, spokenMs);
      words = [];
    };
    const unwatch = toasts.watch(() => {
      for (const toast of toasts.get()) {
        if (toast.id <= told) continue;
        told = toast.id;
        words.push(toast.words);
      }
      timer ??= setTimeout(speak, 0);
    });
    return () => {
      unwatch();
      clearTimeout(timer);
    };
  }, []);
  return (
    <>
      <p ref={region} className="unseen" role="status" aria-live="polite" />
      {shown.length > 0 && (
        <section aria-label="Messages">
          <ul className="toasts">
            {shown.map((toast) => (
              <li key={toast.id} className="toast" data-tone={toast.tone}>
                <span>{toast.words}</span>
                {toast.undo && (
                  <button
                    type="button"
                    className="quiet"
                    onClick={() => {
                      toast.undo?.();
                      drop(toast.id);
                    }}
                  >
                    Undo
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
