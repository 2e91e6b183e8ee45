import { useEffect, useRef } from 'react';
import { Cell } from '../../stream';

export interface Key {
  run(): void;
  /** What it does, in words, for the help; without it the key is not listed. */
  does?: string;
}

/** Keys by what is pressed: "j", "?", "g o", "mod+k". */
export type Keys = Record<string, Key>;

const storageKey = 'troupe.keys';
/** A sequence is forgotten after this. */
const sequenceMs = 1_200;
const layers: { current: Keys }[] = [];
let pending = '';
let pendingAt = 0;

/** Single keys can be turned off, for those who speak to their machine or whose hands slip. */
export const keysOn = new Cell(readOn());

function readOn(): boolean {
  try {
    return localStorage.getItem(storageKey) !== 'off';
  } catch {
    return true;
  }
}

export function setKeysOn(on: boolean): void {
  keysOn.set(on);
  try {
    localStorage.setItem(storageKey, on ? 'on' : 'off');
  } catch {
    // No storage: it holds for this page.
  }
}

/** Keys that work while the component is on the screen. Of two that use one key the later mounted gets it. */
export function useKeys(keys: Keys): void {
  const layer = useRef(keys);
  layer.current = keys;
  useEffect(() => {
    if (layers.length === 0) addEventListener('keydown', onKey);
    layers.push(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      if (layers.length === 0) removeEventListener('keydown', onKey);
    };
  }, []);
}

/** What can be pressed now, with words for it, the nearest first. */
export function listKeys(): { key: string; does: string }[] {
  const seen = new Map<string, string>();
  for (const layer of [...layers].reverse())
    for (const [key, { does }] of Object.entries(layer.current)) if (does && !seen.has(key)) seen.set(key, does);
  return [...seen].map(([key, does]) => ({ key, does }));
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const modified = event.ctrlKey || event.metaKey;
  if (event.altKey || event.key.length > 1) return;
  if (!modified && (!keysOn.get() || isWriting(event.target) || document.querySelector('dialog[open]') !== null)) return;
  const name = modified ? `mod+${event.key.toLowerCase()}` : event.key;
  const sequence = pending !== '' && event.timeStamp - pendingAt < sequenceMs ? `${pending} ${name}` : name;
  pending = '';
  const key = find(sequence) ?? find(name);
  if (key !== undefined) {
    event.preventDefault();
    key.run();
  } else if (!modified && layers.some(({ current }) => Object.keys(current).some((one) => one.startsWith(`${name} `)))) {
    pending = name;
    pendingAt = event.timeStamp;
  }
}

function find(name: string): Key | undefined {
  for (let i = layers.length - 1; i >= 0; i--) {
    const key = layers[i]?.current[name];
    if (key) return key;
  }
  return undefined;
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select'));
}
