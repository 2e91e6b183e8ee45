import { useRef, useState } from 'react';
import { Problem, type VideoRequest } from '../api';
import { useStudio } from './context';
import { problemWords } from './words';

export interface Refusal {
  words: string;
  /** The field at fault, if the server named one. */
  field: string | null;
}

export interface Order {
  sending: boolean;
  refusal: Refusal | null;
  /** Sends the order unless one is being sent. Resolves to whether it was taken. */
  send(video: VideoRequest): Promise<boolean>;
  forgive(): void;
}

/**
 * Sends an order once: a second click while it is on its way does nothing, and sending the same again after a failure
 * uses the same idempotency key, so that an order whose answer got lost is not made twice.
 */
export function useOrder(): Order {
  const studio = useStudio();
  const [sending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const inFlight = useRef(false);
  const unanswered = useRef<{ body: string; key: string } | null>(null);

  async function send(video: VideoRequest): Promise<boolean> {
    if (inFlight.current) return false;
    inFlight.current = true;
    const body = JSON.stringify(video);
    if (unanswered.current?.body !== body) unanswered.current = { body, key: mintKey() };
    setSending(true);
    setRefusal(null);
    try {
      await studio.order(video, unanswered.current.key);
      unanswered.current = null;
      return true;
    } catch (problem) {
      const words = problemWords(problem, 'What you wrote is kept.');
      setRefusal({ words, field: problem instanceof Problem ? problem.field : null });
      return false;
    } finally {
      inFlight.current = false;
      setSending(false);
    }
  }

  return { sending, refusal, send, forgive: () => setRefusal(null) };
}

/** randomUUID is there on https and localhost only; getRandomValues is everywhere. */
function mintKey(): string {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return `studio-${Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('')}`;
}
