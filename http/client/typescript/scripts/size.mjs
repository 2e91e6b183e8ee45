// Bundles each entry as a page's build would, minified, and fails when one has grown over what it may cost (gzip -9).
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const entries = [
  { name: 'client core', entry: "export { Troupe } from '@troupe/client'", budget: 5_120 },
  { name: 'client that polls where no stream gets through', entry: "export { connect } from '@troupe/client'", budget: 6_000 },
  { name: 'client, everything', entry: "export * from '@troupe/client'; export * from '@troupe/client/tabs'", budget: 8_700 },
  { name: 'react, with client and tabs', entry: "export * from '@troupe/react'", budget: 10_400 },
];

for (const { name, entry, budget } of entries) {
  const id = '\0entry';
  const bundle = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [{ name: 'entry', resolveId: (what) => (what === 'entry' ? id : null), load: (what) => (what === id ? entry : null) }],
    resolve: {
      alias: [
        { find: '@troupe/client/tabs', replacement: at('client/src/tabs.ts') },
        { find: '@troupe/client', replacement: at('client/src/index.ts') },
        { find: '@troupe/react', replacement: at('react/src/index.ts') },
      ],
    },
    build: {
      target: 'es2022',
      write: false,
      minify: true,
      rollupOptions: { input: 'entry', external: [/^react($|\/)/], preserveEntrySignatures: 'strict', output: { format: 'es' } },
    },
  });
  const { output } = Array.isArray(bundle) ? bundle[0] : bundle;
  const code = output.map((chunk) => chunk.code).join('');
  const size = gzipSync(code, { level: 9 }).length;
  console.log(`${name}: ${size} of ${budget} bytes gzipped, ${code.length} minified`);
  if (size > budget) process.exitCode = 1;
}
