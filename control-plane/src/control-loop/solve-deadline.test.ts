import { expect, test } from 'vitest';
import { solveDeadline } from './solve-deadline.ts';

test('a solve is over when it computed for as long as it may, however long that took, but not for ever', () => {
  const at = { spent: 4_000, now: 1e12 };
  const begin = () => solveDeadline(10_000, { spentMs: () => at.spent, nowMs: () => at.now });
  const starved = begin();
  at.now += 40_000;
  at.spent += 9_999;
  expect(starved()).toBe(false);
  at.spent += 1;
  expect(starved()).toBe(true);

  const stopped = begin();
  at.now += 59_999;
  expect(stopped()).toBe(false);
  at.now += 1;
  expect(stopped()).toBe(true);
});
