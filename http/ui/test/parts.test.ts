import { describe, expect, it } from 'vitest';
import { quote } from '../src/ops/job/curl';
import { duration, relative } from '../src/ops/parts/time';
import { visible } from '../src/ops/parts/visible';

describe('what the rooms are furnished with', () => {
  it('writes spans of time in two units at most', () => {
    expect([0, 412, 3_870, 38_400, 250_000, 7_500_000, 300_000_000].map(duration)).toEqual([
      '0 ms',
      '412 ms',
      '3.8 s',
      '38 s',
      '4 min 10 s',
      '2 h 5 min',
      '3 d 11 h',
    ]);
  });

  it('says how long ago, and how long until', () => {
    expect([0, 12_000, 200_000, 90_000_000].map((ms) => relative(1e12 - ms, 1e12))).toEqual(['just now', '12 s ago', '3 min ago', '1 d ago']);
    expect(relative(1e12 + 300_000, 1e12)).toBe('in 5 min');
  });

  it('writes out what would change the look of other characters', () => {
    expect(visible('a\u202eb\u0000\u001b[31m\nc')).toBe('a\\u202eb\\u0000\\u001b[31m\nc');
  });

  it('quotes for a shell', () => {
    expect(quote("it's $HOME")).toBe("'it'\\''s $HOME'");
  });
});
