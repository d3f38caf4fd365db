import { expect, test } from 'vitest';
import { datasetsNote } from './datasets-note.ts';

test('of what is wrong with datasets the most pressing is told: missing copies, then a policy without a place, then no version yet', () => {
  expect(datasetsNote({ short: 3, infeasible: 2, empty: 1 })).toBe('3 short of copies');
  expect(datasetsNote({ short: 0, infeasible: 2, empty: 1 })).toBe('no place meets the policy of 2');
  expect(datasetsNote({ short: 0, infeasible: 0, empty: 1 })).toBe('1 without a version yet');
  expect(datasetsNote({ short: 0, infeasible: 0, empty: 0 })).toBe('none is short');
});
