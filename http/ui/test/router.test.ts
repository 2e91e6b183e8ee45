import { describe, expect, it } from 'vitest';
import { match } from '../src/ops/router';
import { rooms } from '../src/ops/rooms';

describe('the router', () => {
  it('matches patterns', () => {
    expect(match('/ops', '/ops/')).toEqual({});
    expect(match('/ops/jobs/:id', '/ops/jobs/a%2Fb')).toEqual({ id: 'a/b' });
    expect(match('/ops/jobs/:id', '/ops/jobs')).toBeNull();
    expect(match('/ops/jobs', '/ops/jobs/x')).toBeNull();
    expect(match('/ops/docs/*', '/ops/docs/a/b')).toEqual({});
    expect(match('/ops/jobs/:id', '/ops/jobs/%E0%A4')).toEqual({ id: '%E0%A4' });
  });

  it('has one room for each path and each key', () => {
    const paths = rooms.map(({ path }) => path);
    const keys = rooms.flatMap(({ key }) => key ?? []);
    expect(new Set(paths).size).toBe(paths.length);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
