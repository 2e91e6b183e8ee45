'use client';

import { type AcceptedJob, Problem, type Submission, submit as submitJob, submitVideo as submitVideoJob, type VideoRequest } from '@troupe/client';
import { useCallback, useRef, useState } from 'react';
import { useTroupe } from './provider.js';

export interface Submit {
  /** Resolves with the job, or with null if it went wrong: `error` says how. */
  submit: (submission: Submission) => Promise<AcceptedJob | null>;
  /** The same for a video. */
  submitVideo: (video: VideoRequest) => Promise<AcceptedJob | null>;
  pending: boolean;
  error: Problem | null;
  /** What was accepted last. */
  job: AcceptedJob | null;
  reset: () => void;
}

interface Sending {
  body: string;
  key: string;
  answer: Promise<AcceptedJob | null> | null;
}

/**
 * Submits what a form holds. The idempotency key belongs to what is submitted: a double click or another try after a failure is the
 * same job; after a success, or when something else is submitted, it is another.
 */
export function useSubmit(): Submit {
  const client = useTroupe();
  const [state, setState] = useState<Pick<Submit, 'pending' | 'error' | 'job'>>({ pending: false, error: null, job: null });
  const sending = useRef<Sending | null>(null);

  const send = useCallback((what: unknown, call: (key: string) => Promise<AcceptedJob>): Promise<AcceptedJob | null> => {
    const body = JSON.stringify(what);
    const before = sending.current?.body === body ? sending.current : null;
    if (before?.answer) return before.answer;
    const mine: Sending = before ?? { body, key: crypto.randomUUID(), answer: null };
    sending.current = mine;
    setState((last) => ({ ...last, pending: true, error: null }));
    mine.answer = call(mine.key).then(
      (job) => {
        if (sending.current === mine) sending.current = null;
        setState({ pending: sending.current !== null, error: null, job });
        return job;
      },
      (problem: unknown) => {
        mine.answer = null;
        const error = problem instanceof Problem ? problem : new Problem(0, 'unknown', String(problem));
        setState((last) => ({ ...last, pending: false, error }));
        return null;
      },
    );
    return mine.answer;
  }, []);

  const submit = useCallback((one: Submission) => send(['job', one], (key) => submitJob(client, one, { key })), [client, send]);
  const submitVideo = useCallback((one: VideoRequest) => send(['video', one], (key) => submitVideoJob(client, one, { key })), [client, send]);
  const reset = useCallback(() => {
    sending.current = null;
    setState({ pending: false, error: null, job: null });
  }, []);
  return { ...state, submit, submitVideo, reset };
}
