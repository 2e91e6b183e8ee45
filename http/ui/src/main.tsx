import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { within } from './base';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

// Whoever orders videos does not load the operators' pages, and the other way round.
const isOps = /^\/ops(\/|$)/.test(within(location.pathname));
const House = isOps ? lazy(() => import('./ops/Ops')) : lazy(() => import('./studio/Door'));

createRoot(root).render(
  <StrictMode>
    <Suspense>
      <House />
    </Suspense>
  </StrictMode>,
);
