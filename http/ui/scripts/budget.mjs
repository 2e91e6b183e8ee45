// Fails the build when the page grows over what it may cost to load (gzip -9).
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const budgets = { '.js': 130_000, '.css': 20_000 };
const assets = new URL('../dist/assets/', import.meta.url);

for (const [extension, budget] of Object.entries(budgets)) {
  const size = readdirSync(assets)
    .filter((name) => name.endsWith(extension))
    .reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, assets)), { level: 9 }).length, 0);
  console.log(`${extension.slice(1)}: ${(size / 1000).toFixed(1)} of ${budget / 1000} kB gzipped`);
  if (size > budget) process.exitCode = 1;
}
