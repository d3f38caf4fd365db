import { expect, test } from 'vitest';
import { seededRandom } from './random.ts';
import { ulid, ulidAfter } from './ulid.ts';

const random = seededRandom(1);

test('a name made later sorts later, and is in the time that it was given', () => {
  expect(ulid(1_469_918_176_385, random).slice(0, 10)).toBe('01ARYZ6S41');
  expect(ulid(1_000, random) < ulid(1_001, random)).toBe(true);
});

test('a name behind another sorts behind it, in the same millisecond and when the clock was put back', () => {
  for (const nowMs of [1_700_000_000_000, 1_699_999_999_999, 1_600_000_000_000, 1_800_000_000_000]) {
    const before = ulid(1_700_000_000_000, random);
    expect(ulidAfter(before, nowMs, random) > before).toBe(true);
  }
  expect(ulidAfter(null, 1_469_918_176_385, random).slice(0, 10)).toBe('01ARYZ6S41');
});
