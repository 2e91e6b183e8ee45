// Fails the build when a page grows over what it may cost to load at first (gzip -9): its entry, the house it is in, and
// the heaviest room of it.
import { readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const budgets = { js: 130_000, css: 20_000 };
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
rmSync(new URL('.vite', dist), { recursive: true }); // it is not served

/** The files of a chunk and of what it imports at once. */
function filesOf(name, files = new Set()) {
  const chunk = manifest[name];
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const style of chunk.css ?? []) files.add(style);
  for (const other of chunk.imports ?? []) filesOf(other, files);
  return files;
}

function cost(names, kind) {
  const files = new Set(names.flatMap((name) => [...filesOf(name)]));
  return [...files]
    .filter((file) => file.endsWith(`.${kind}`))
    .reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length, 0);
}

const entry = Object.keys(manifest).find((name) => manifest[name].isEntry);
const houses = manifest[entry].dynamicImports ?? [];
for (const house of houses) {
  const rooms = manifest[house].dynamicImports ?? [];
  const pages = rooms.length === 0 ? [[entry, house]] : rooms.map((room) => [entry, house, room]);
  for (const [kind, budget] of Object.entries(budgets)) {
    const worst = Math.max(...pages.map((names) => cost(names, kind)));
    console.log(`${house}, ${kind}: ${(worst / 1000).toFixed(1)} of ${budget / 1000} kB gzipped`);
    if (worst > budget) process.exitCode = 1;
  }
}
