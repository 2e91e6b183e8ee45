import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const sources = [
  { find: '@troupe/client/tabs', replacement: at('client/src/tabs.ts') },
  { find: '@troupe/client', replacement: at('client/src/index.ts') },
  { find: '@troupe/react', replacement: at('react/src/index.ts') },
];
/** The hooks with another React than the workspace's own. */
const react18 = ['react-dom', 'react'].map((name) => ({
  find: new RegExp(`^${name}(/.*)?$`),
  replacement: `${at(`test/react18/node_modules/${name}`)}$1`,
}));

export default defineConfig({
  test: {
    projects: [
      { resolve: { alias: sources }, test: { name: 'client', environment: 'node', include: ['test/client/*.test.ts'], restoreMocks: true } },
      { resolve: { alias: sources }, test: { name: 'react 19', environment: 'jsdom', include: ['test/react/*.test.tsx'], restoreMocks: true } },
      {
        resolve: { alias: [...sources, ...react18] },
        test: { name: 'react 18', environment: 'jsdom', include: ['test/react/*.test.tsx'], restoreMocks: true, env: { REACT: '18' } },
      },
      {
        resolve: { alias: sources },
        test: { name: 'server', environment: 'node', include: ['test/server/*.test.ts'], globalSetup: ['test/server/build.ts'], testTimeout: 30_000, hookTimeout: 30_000 },
      },
    ],
  },
});
