import { EmptyState } from '../parts';

export default function Overview() {
  return <EmptyState title="Nothing here yet">This room is not furnished.</EmptyState>;
}
