import { expect, test } from 'vitest';
import { detailWords } from './detail-words.ts';

test('each field of a change is told by its name and value', () => {
  expect(detailWords({ set: { copies: 3, regions: ['eu', 'us'], latencySloMs: null }, clear: [], entries: [{ a: 1 }] })).toEqual([
    'set.copies 3',
    'set.regions eu, us',
    'set.latencySloMs null',
    'entries.0.a 1',
  ]);
  expect(detailWords({})).toEqual([]);
});
