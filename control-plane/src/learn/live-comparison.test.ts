import { seededRandom } from '@data-in-motion/shared/random';
import { expect, test } from 'vitest';
import { compareLive, type PairedDrive, verdictBeside } from './live-comparison.ts';

const drive = (n: number, change: Partial<PairedDrive> = {}): PairedDrive => ({
  deviceId: `d${String(n).padStart(4, '0')}`,
  failed: false,
  p30: 0.001,
  p30Before: 0.001,
  alarmed: false,
  alarmedBefore: false,
  ...change,
});
/** Failures that both, only the one before, or only the active version called; among drives that live. */
const fleet = (both: number, onlyBefore: number, onlyNow: number, neither = 0): PairedDrive[] => [
  ...Array.from({ length: both }, (_, n) => drive(n, { failed: true, p30: 0.5, p30Before: 0.5, alarmed: true, alarmedBefore: true })),
  ...Array.from({ length: onlyBefore }, (_, n) => drive(100 + n, { failed: true, p30Before: 0.4, alarmedBefore: true })),
  ...Array.from({ length: onlyNow }, (_, n) => drive(200 + n, { failed: true, p30: 0.4, alarmed: true })),
  ...Array.from({ length: neither }, (_, n) => drive(300 + n, { failed: true })),
  // What the other one is alarmed about instead.
  ...Array.from({ length: onlyBefore }, (_, n) => drive(400 + n, { p30: 0.4, alarmed: true })),
  ...Array.from({ length: onlyNow }, (_, n) => drive(500 + n, { p30Before: 0.4, alarmedBefore: true })),
  ...Array.from({ length: 200 }, (_, n) => drive(1_000 + n)),
];

test('a version that misses what the one before finds is behind, with the figures in words', () => {
  const found = compareLive(fleet(4, 10, 0));
  expect(found).toMatchObject({ kind: 'behind', failures: 14, alarms: 14, found: 4, foundBefore: 14 });
  expect(found.chance).toBeCloseTo(2 ** -10, 10);
  expect(found.says).toBe('of 14 failures, at 14 drives named by each, it found 4 and the model before 14 (chance 0.00098)');
});

test('a few more on one side, or more on its own, are no reason', () => {
  expect(compareLive(fleet(4, 6, 2)).kind).toBe('not-behind');
  expect(compareLive(fleet(4, 7, 0)).kind).toBe('not-behind');
  expect(compareLive(fleet(4, 0, 10)).kind).toBe('not-behind');
  expect(compareLive(fleet(20, 0, 0)).kind).toBe('not-behind');
});

test('below ten failures nothing is concluded', () => {
  expect(compareLive(fleet(0, 9, 0))).toMatchObject({ kind: 'too-few', says: 'too few failures to compare: 9 of at least 10' });
  expect(compareLive([]).kind).toBe('too-few');
});

test('beside another one it is ahead, behind, or no better told apart than by chance', () => {
  expect(verdictBeside(fleet(4, 10, 0), 'v2')).toEqual({
    verdict: 'behind',
    says: 'of 14 failures, at 14 drives named by each, it found 4 and v2 14 (chance 0.00098)',
  });
  expect(verdictBeside(fleet(4, 0, 10), 'v2')).toEqual({
    verdict: 'ahead',
    says: 'of 14 failures, at 14 drives named by each, it found 14 and v2 4 (chance 0.00098)',
  });
  expect(verdictBeside(fleet(4, 6, 2), 'v2').verdict).toBe('even');
  expect(verdictBeside(fleet(4, 6, 2), 'v2').says).toMatch(/it found 6 and v2 10: no difference that chance would not make$/);
  expect(verdictBeside(fleet(0, 9, 0), 'v2')).toEqual({ verdict: 'too-few', says: 'too few failures to compare: 9 of at least 10' });
});

test('who only alarms less often, and ranks drives the same, is not behind', () => {
  const quiet = fleet(12, 0, 0, 3).map((one) => ({ ...one, alarmed: false }));
  expect(compareLive(quiet)).toMatchObject({ kind: 'not-behind', found: 12, foundBefore: 12 });
});

test('between two equally good versions, looked at after every failure, a roll-back by chance is rare', () => {
  let rolledBack = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const sound = Array.from({ length: 300 }, (_, n) => drive(1_000 + n, { p30: random.next() * 0.05, p30Before: random.next() * 0.05 }));
    const failed: PairedDrive[] = [];
    for (let n = 0; n < 40; n++) {
      const [now, before] = [random.next() * 0.15, random.next() * 0.15];
      failed.push(drive(n, { failed: true, p30: now, p30Before: before, alarmed: now > 0.05, alarmedBefore: before > 0.05 }));
      if (compareLive([...failed, ...sound]).kind !== 'behind') continue;
      rolledBack++;
      break;
    }
  }
  expect(rolledBack / 200).toBeLessThan(0.05);
});

test('thousands of failures are counted without running out of numbers', () => {
  const { chance } = compareLive(
    Array.from({ length: 6_000 }, (_, n) => drive(n, { failed: true, p30: n % 2, p30Before: (n + 1) % 2, alarmed: n % 2 === 1, alarmedBefore: n % 2 === 0 })),
  );
  expect(chance).toBeGreaterThan(0.4);
  expect(chance).toBeLessThan(0.6);
});
