import { EmptyState } from '../parts';

export default function JobsPage() {
  return <EmptyState title="Nothing here yet">This room is not furnished.</EmptyState>;
}
