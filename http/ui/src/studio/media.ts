import type { Brief } from '../api';
import type { Artifact, Job } from '@troupe/client';

export interface Media {
  type: 'video' | 'image' | 'link';
  url: string;
  bytes: number | null;
  poster: string | null;
}

const stills = ['poster', 'preview', 'thumbnail'];

/** What a finished job is shown with: its video, else its picture, else a link to where the result says it is. */
export function mediaOf(job: Job, brief: Brief | undefined): Media | null {
  const video = job.artifacts.find(({ type }) => type.startsWith('video/'));
  const poster = previewOf(job) ?? ownUrl(brief?.posterUrl ?? null);
  if (video) return media('video', video, poster);
  const pictures = job.artifacts.filter(({ type }) => type.startsWith('image/'));
  const picture = pictures.find(({ name }) => !isStill(name)) ?? pictures[0];
  if (picture) return media('image', picture, null);
  const elsewhere = webUrl(brief?.videoUrl ?? null);
  if (elsewhere === null) return null;
  const isOwn = ownUrl(elsewhere) !== null;
  return { type: isOwn ? 'video' : 'link', url: elsewhere, bytes: null, poster: isOwn ? poster : null };
}

/** A still of a job, for the time before its video: only the name tells it from a result. */
export function previewOf(job: Job): string | null {
  const still = job.artifacts.find(({ name, type }) => type.startsWith('image/') && isStill(name));
  return still ? ownUrl(still.url) : null;
}

function isStill(name: string): boolean {
  return stills.some((word) => name.toLowerCase().startsWith(word));
}

function media(type: 'video' | 'image', { url, bytes }: Artifact, poster: string | null): Media | null {
  const own = ownUrl(url);
  if (own !== null) return { type, url: own, bytes, poster };
  const elsewhere = webUrl(url);
  return elsewhere === null ? null : { type: 'link', url: elsewhere, bytes, poster: null };
}

/** A URL of this server, which the page's policy lets it load. */
function ownUrl(url: string | null): string | null {
  const parsed = webUrl(url);
  return parsed !== null && new URL(parsed).origin === location.origin ? parsed : null;
}

/** A URL that may be a link: of the web, and not of a script. */
export function webUrl(url: string | null): string | null {
  if (url === null || url === '' || !URL.canParse(url, location.origin)) return null;
  const parsed = new URL(url, location.origin);
  return parsed.protocol === 'https:' || parsed.protocol === 'http:' ? parsed.href : null;
}
