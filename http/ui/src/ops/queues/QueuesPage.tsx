import { EmptyState } from '../parts';

export default function QueuesPage() {
  return <EmptyState title="Nothing here yet">This room is not furnished.</EmptyState>;
}
