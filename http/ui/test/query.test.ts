import { describe, expect, it } from 'vitest';
import { isPlain, mayFit, termsOf, withTerm } from '../src/ops/jobs/query';
import { job } from './jobs';

describe('a search', () => {
  it('is qualifiers and words', () => {
    expect(termsOf('status:failed,retrying payload.campaign:"spring sale" boom "two words" age:>1h')).toEqual([
      { name: 'status', value: 'failed,retrying' },
      { name: 'payload.campaign', value: 'spring sale' },
      { name: '', value: 'boom' },
      { name: '', value: 'two words' },
      { name: 'age', value: '>1h' },
    ]);
    expect(termsOf('')).toEqual([]);
    expect(termsOf('a:"open')).toEqual([{ name: 'a', value: 'open' }]);
  });

  it('changes one qualifier and keeps the rest', () => {
    expect(withTerm('status:failed x.y:"a b" word', 'status', 'queued')).toBe('status:queued x.y:"a b" word');
    expect(withTerm('status:failed word', 'status', null)).toBe('word');
    expect(withTerm('', 'status', 'queued')).toBe('status:queued');
    expect(withTerm('"a:b"', 'status', 'queued')).toBe('status:queued "a:b"');
  });

  it('tells which jobs fit, and leaves to the server what only it can tell', () => {
    const fits = mayFit('status:failed,processing kind:video.generate payload.x:1 word');
    expect(fits(job({ status: 'processing' }))).toBe(true);
    expect(fits(job({ status: 'queued' }))).toBe(false);
    expect(fits(job({ status: 'failed', kind: 'other' }))).toBe(false);
    expect([isPlain('status:failed kind:x'), isPlain('status:failed word'), isPlain('')]).toEqual([true, false, true]);
  });
});
