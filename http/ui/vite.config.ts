import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const packages = new URL('../client/typescript/', import.meta.url).pathname;

// The server's policy allows scripts, styles and images of its own origin only, so nothing may be inlined.
export default defineConfig({
  plugins: [react()],
  base: './', // and <base href> says where that is
  // The packages that others use, from their sources: the pages are their first user.
  resolve: {
    alias: {
      '@troupe/client/tabs': `${packages}client/src/tabs.ts`,
      '@troupe/client': `${packages}client/src/index.ts`,
      '@troupe/react': `${packages}react/src/index.ts`,
    },
    dedupe: ['react', 'react-dom'],
  },
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'], // light-dark()
    manifest: true, // for the budget, which removes it
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:8080' } },
  test: { environment: 'jsdom', include: ['test/**/*.test.{ts,tsx}'], restoreMocks: true },
});
