import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Studio } from './studio/studio';
import { StudioPage } from './studio/StudioPage';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <StudioPage studio={new Studio()} />
  </StrictMode>,
);
