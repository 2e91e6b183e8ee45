import { useEffect, useRef } from 'react';
import { navigate } from '../router';
import { rooms } from '../rooms';

/** Something that can be done from anywhere on the page, found by its words. */
export interface Command {
  title: string;
  /** Beside the title: where it leads, which key does it. */
  note?: string;
  run(): void;
}

const layers: { current: readonly Command[] }[] = [];

/** Offers commands in the palette while the component is on the screen. */
export function useCommands(commands: readonly Command[]): void {
  const layer = useRef(commands);
  layer.current = commands;
  useEffect(() => {
    layers.push(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
    };
  }, []);
}

const looksLikeId = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

/** What fits the words, the page's own commands first. An id is a job, other words can be searched for. */
export function findCommands(words: string): Command[] {
  const wanted = words.trim().toLowerCase();
  const own = [...layers].reverse().flatMap((layer) => layer.current);
  const places = rooms
    .filter((room) => !room.path.includes(':'))
    .map((room) => ({ title: room.title, note: room.key ? `g ${room.key}` : '', run: () => navigate(room.path) }));
  const found = [...own, ...places].filter(({ title }) => wanted.split(/\s+/).every((word) => title.toLowerCase().includes(word)));
  if (looksLikeId.test(wanted)) found.unshift({ title: `Job ${wanted}`, run: () => navigate(`/ops/jobs/${wanted}`) });
  else if (wanted !== '')
    found.push({
      title: `Search jobs for “${words.trim()}”`,
      run: () => navigate(`/ops/jobs?${new URLSearchParams({ q: words.trim() })}`),
    });
  return found;
}
