import { object } from '../json';
import { sendForJson } from './http';
import { decodeResource, type Resource } from './jobs';
import { Problem } from './problem';

export interface VideoRequest {
  prompt: string;
  imageUrl?: string;
  /** Seconds. */
  duration?: number;
}

/** How often a request is sent again while the first with its key is still being answered. */
const maxInFlight = 5;

/** Orders a video. The same key again is the same job again, so that it may be repeated after any failure. */
export async function createVideo(video: VideoRequest, key: string): Promise<Resource> {
  for (let tries = 1; ; tries++) {
    try {
      const request = { method: 'POST', body: video, headers: { 'Idempotency-Key': key } } as const;
      const body = await sendForJson('/v1/videos', request);
      const resource = decodeResource(object(body).job ?? body);
      if (resource === null) throw new Problem({ status: 502, code: 'unreadable' });
      return resource;
    } catch (problem) {
      const inFlight = problem instanceof Problem && problem.status === 409 && problem.retryMs !== null;
      if (!inFlight || tries >= maxInFlight) throw problem;
      const pause = problem.retryMs ?? 0;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
