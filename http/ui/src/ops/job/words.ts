import type { Place } from '@troupe/client';
import { relative } from '../parts/time';
import { ordinal, span } from '../../studio/words';

/** Where a waiting job stands, in a line. */
export function placeWords(place: Place | null, runAt: number | null, now: number): string {
  const eta = place?.etaMs ? `, done in about ${span(place.etaMs.p50)}` : '';
  const until = place?.until ?? runAt;
  switch (place?.reason) {
    case 'position':
    case 'queue_position':
      if (place.position === null) return `In line${eta}`;
      return place.capped ? `${ordinal(place.position)} in line or later${eta}` : `${ordinal(place.position)} in line${eta}`;
    case 'paused':
      return 'The queue is paused';
    case 'limit':
      return `Waits for a free place${eta}`;
    case 'backoff':
      return until === null ? 'Waits before it tries again' : `Tries again ${relative(until, now)}`;
    case 'scheduled':
      return until === null ? 'Waits for its time' : `Starts ${relative(until, now)}`;
    default:
      return until !== null && until > now + 1_000 ? `Due ${relative(until, now)}` : 'Waits in line';
  }
}
