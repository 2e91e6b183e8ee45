import { EmptyState } from '../parts';

export default function StreamsPage() {
  return <EmptyState title="Nothing here yet">This room is not furnished.</EmptyState>;
}
