import type { Job } from '@troupe/client';
import { text } from '../json';

const states = new Map([
  ['requested', 'Cancelling'],
  ['confirmed', 'Cancelled'],
  ['too_late', 'Cancel came too late'],
]);

/** What became of a request to cancel, who asked and why; empty if nobody did. Who and why are untrusted text. */
export function cancelWords({ cancel }: Job, most = 200): string {
  if (cancel === null) return '';
  const by = text(cancel.by);
  const note = [by && `by ${by}`, text(cancel.reason)].filter(Boolean).join(': ');
  return `${states.get(text(cancel.state)) ?? 'Cancel'}${note && ` (${note.slice(0, most)})`}`;
}
