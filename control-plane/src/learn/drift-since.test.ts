import { expect, test } from 'vitest';
import { driftedSince } from './drift-since.ts';

const look = (day: number, ...drifted: string[]) => ({ day, strongest: 0.1, drifted });

test('a feature has drifted since the first look in a row that saw it', () => {
  const looks = [look(1, 'a'), look(2), look(3, 'a', 'b'), look(4, 'a')];
  expect([driftedSince(looks, 'a'), driftedSince(looks, 'b'), driftedSince([], 'a')]).toEqual([3, null, null]);
});

test('a look that could not tell, or a day without one, does not end it; one that saw it calm does', () => {
  const blind = { day: 5, strongest: null, drifted: [] };
  expect(driftedSince([look(1, 'a'), blind, look(9, 'a')], 'a')).toBe(1);
  expect(driftedSince([look(1, 'a'), look(5), look(9, 'a')], 'a')).toBe(9);
  expect(driftedSince([blind], 'a')).toBeNull();
});
