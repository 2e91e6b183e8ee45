import { decodeResource } from '@troupe/client';
import { describe, expect, it } from 'vitest';
import { cancelWords } from '../src/api/cancel';
import { job } from './jobs';

describe('cancelWords', () => {
  it('says what became of a request, who asked and why', () => {
    const at = '2026-03-01T12:00:00Z';
    expect(cancelWords(job())).toBe('');
    expect(cancelWords(job({ cancel: { state: 'requested', by: 'ann', reason: 'too costly', at } }))).toBe('Cancelling (by ann: too costly)');
    expect(cancelWords(job({ cancel: { state: 'confirmed', at } }))).toBe('Cancelled');
    expect(cancelWords(job({ cancel: { state: 'too_late', reason: 'no' } }))).toBe('Cancel came too late (no)');
  });

  it('takes no text for more than text, and no state of the future for one that it knows', () => {
    expect(cancelWords(job({ cancel: { state: 'constructor', by: { toString: 1 }, reason: '<b>' } }))).not.toContain('object');
    expect(cancelWords(job({ cancel: { state: 'undone', reason: 'x'.repeat(1000) } }))).toHaveLength('Cancel ()'.length + 200);
  });

  it('is told by lists as well', () => {
    const told = decodeResource({ id: 'j1', version: 2, status: 'cancelling', cancel: { state: 'requested', by: 'ann' } });
    expect(told && cancelWords(told)).toBe('Cancelling (by ann)');
  });
});
