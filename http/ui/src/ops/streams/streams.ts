import { isObject, number, object, text, timeOrNull } from '../../json';
import { type Asked, sendForJson, useAsk } from '../ask';

/** Somebody who is connected. */
export interface Stream {
  id: string;
  principal: string;
  remote: string;
  proto: string;
  topics: string[];
  /** Topics that are not listed. */
  moreTopics: number;
  openedAt: number | null;
  mode: string;
  sent: number;
  coalesced: number;
  pending: number;
  lagMs: number;
}

export interface Streams {
  node: string;
  streams: Stream[];
  truncated: boolean;
  /** Streams that ended since the node's start, by reason. */
  closed: { reason: string; count: number }[];
}

export function decodeStreams(value: unknown): Streams {
  const answer = object(value);
  return {
    node: text(answer.node),
    truncated: answer.truncated === true,
    streams: (Array.isArray(answer.streams) ? answer.streams : []).filter(isObject).map((stream) => ({
      id: text(stream.id),
      principal: text(stream.principal),
      remote: text(stream.remote),
      proto: text(stream.proto),
      topics: (Array.isArray(stream.topics) ? stream.topics : []).map(text),
      moreTopics: number(stream.more_topics),
      openedAt: timeOrNull(stream.opened_at),
      mode: text(stream.mode),
      sent: number(stream.sent),
      coalesced: number(stream.coalesced),
      pending: number(stream.pending),
      lagMs: number(stream.lag_ms),
    })),
    closed: Object.entries(object(answer.closed))
      .map(([reason, n]) => ({ reason, count: number(n) }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count),
  };
}

export function useStreams(): Asked<Streams> {
  return useAsk('/v1/streams', async (signal) => decodeStreams(await sendForJson('/v1/streams', { signal })), { everyMs: 2_000 });
}

/** Why streams end, in words; and whether a person should wonder. */
export const reasons: Record<string, { words: string; tone: 'plain' | 'warm' | 'bad' }> = {
  client: { words: 'the client went away', tone: 'plain' },
  done: { words: 'the job was done', tone: 'plain' },
  drain: { words: 'the node drained', tone: 'plain' },
  max_age: { words: 'too old, to come back', tone: 'plain' },
  expired: { words: 'the token ran out', tone: 'plain' },
  slow: { words: 'the client was too slow', tone: 'bad' },
  write_timeout: { words: 'the client stopped reading', tone: 'bad' },
  revoked: { words: 'access was taken back', tone: 'warm' },
  error: { words: 'something broke', tone: 'bad' },
};
