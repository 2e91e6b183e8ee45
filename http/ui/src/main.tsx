import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { StudioPage } from './studio/StudioPage';
import { Studio } from './studio/studio';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <StudioPage studio={new Studio()} />
  </StrictMode>,
);
