import { describe, expect, it } from 'vitest';
import { maxDepth, member, parseLossless, write } from '../src/ops/json/lossless';

describe('lossless JSON', () => {
  it('keeps every digit, the order of keys and their repetition', () => {
    const source = '{"b":9007199254740993123,"a":-0.10e+2,"b":[true,false,null,{}],"":""}';
    expect(write(parseLossless(source))).toBe(source);
    expect(member(parseLossless(source), 'b')).toMatchObject({ type: 'array' });
  });

  it('reads what JSON.parse reads, and refuses what it refuses', () => {
    const good = ['1', ' [ 1 , 2 ] ', '"\\u0041\\n\\""', '{"a":{"b":[]}}', '[[],{}]', '-0', 'null', '{ }', '"\u2028"'];
    for (const source of good) expect(JSON.parse(write(parseLossless(source))), source).toEqual(JSON.parse(source));
    const bad = ['', '[1,]', '{"a":1,}', '{a:1}', '01', '+1', '1 2', '"a', '[1', '{"a"}', 'nul', '"\n"', '.5', "'a'"];
    for (const source of bad) expect(() => parseLossless(source), source).toThrow(SyntaxError);
  });

  it('does not break on what is nested without end', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(write(parseLossless(deep))).toBe(deep);
    expect(() => parseLossless('['.repeat(maxDepth * 3))).toThrow(SyntaxError);
  });

  it('reads a megabyte', () => {
    const big = JSON.stringify(Array.from({ length: 12_000 }, (_, i) => ({ id: i, name: `row "${i}"`, price: 0.5, none: null })));
    expect(write(parseLossless(big)).length).toBe(big.length);
  });

  it('writes one member a line', () => {
    expect(write(parseLossless('{"a":[1,{}],"b":2}'), 2)).toBe('{\n  "a": [\n    1,\n    {}\n  ],\n  "b": 2\n}');
  });
});
