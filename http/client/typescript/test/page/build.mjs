// Builds this page for development, where React mounts everything twice: node build.mjs FOLDER [18|19]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const [folder, react = '19'] = process.argv.slice(2);
const older = ['react-dom', 'react'].map((name) => ({
  find: new RegExp(`^${name}(/.*)?$`),
  replacement: `${at(`test/react18/node_modules/${name}`)}$1`,
}));

await build({
  configFile: false,
  root: at('.'),
  mode: 'development',
  logLevel: 'error',
  define: { 'process.env.NODE_ENV': '"development"' },
  resolve: {
    alias: [
      { find: '@troupe/client/tabs', replacement: at('client/src/tabs.ts') },
      { find: '@troupe/client', replacement: at('client/src/index.ts') },
      { find: '@troupe/react', replacement: at('react/src/index.ts') },
      ...(react === '18' ? older : []),
    ],
  },
  build: {
    outDir: folder,
    emptyOutDir: false,
    minify: false,
    target: 'es2022',
    rollupOptions: { input: at('test/page/main.tsx'), output: { format: 'es', entryFileNames: 'page.js' } },
  },
});
writeFileSync(
  join(folder, 'index.html'),
  '<!doctype html><meta charset="utf-8"><title>Jobs</title><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="page.js"></script>\n',
);
