import { useState } from 'react';
import { StudioPage } from './StudioPage';
import { Studio } from './studio';

/** The studio with what is behind it, as long as it is on the screen. */
export default function Door() {
  const [studio] = useState(() => new Studio());
  return <StudioPage studio={studio} />;
}
