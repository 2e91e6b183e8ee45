import '../studio/tokens.css';
import './ops.css';
import './parts.css';
import { Shell } from './frame/Shell';

/** The operators' pages, all under /ops. */
export default function Ops() {
  return <Shell />;
}
