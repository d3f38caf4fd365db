import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import { expect, test } from 'vitest';
import type { FeatureRows } from './feature-distribution.ts';
import { compareFeatures, hasDrifted } from './feature-drift.ts';
import { firstDays, firstLooksWith } from './first-looks.ts';

const column = driveFeatureNames.indexOf('smart197');
/** Drives that report one of ten values, each as often, and so much more. */
const fleet = (drives: number, more = 0): FeatureRows =>
  Array.from({ length: drives }, (_, n) => Float64Array.from(driveFeatureNames, (_, at) => (n % 10) + (at === column ? more : 0)));
const pendingOf = (looks: ReturnType<typeof firstLooksWith>) => looks!.distribution.features.find(({ feature }) => feature === 'smart197')!;

test('the first look at enough drives sets the bins, and each later day of the first weeks adds its drives once', () => {
  expect(firstLooksWith(null, 100, fleet(29))).toBeNull();
  const first = firstLooksWith(null, 100, fleet(40));
  expect(first).toMatchObject({ fromDay: 100, toDay: 100, distribution: { drives: 40, looks: 40 } });
  expect(firstLooksWith(first, 100, fleet(40, 5))).toBe(first);
  const second = firstLooksWith(first, 101, fleet(200, 5));
  expect(second).toMatchObject({ fromDay: 100, toDay: 101, distribution: { drives: 200, looks: 240 } });
  expect(pendingOf(second).edges).toEqual(pendingOf(first).edges);
  expect(pendingOf(second).counts.reduce((sum, count) => sum + count)).toBe(240);
  expect(firstLooksWith(second, 100 + firstDays - 1, fleet(40))).toMatchObject({ toDay: 100 + firstDays - 1 });
});

test('what comes after them, or of too few drives, changes nothing any more', () => {
  const first = firstLooksWith(null, 100, fleet(40));
  expect(firstLooksWith(first, 100 + firstDays, fleet(40, 5))).toBe(first);
  expect(firstLooksWith(first, 101, fleet(29, 5))).toBe(first);
});

test('a fleet that creeps away from its first weeks has drifted in the end, though from one month to the next it never did', () => {
  const renewed = (percent: number): FeatureRows => fleet(300).map((row, n) => (n % 100 < percent ? fleet(1, 20)[0]! : row));
  const months = Array.from({ length: 9 }, (_, month) => renewed(5 * month));
  const hasDriftedFrom = (from: number, to: number): boolean =>
    compareFeatures(firstLooksWith(null, 100, months[from]!)!.distribution, months[to]!).some(hasDrifted);
  expect(months.slice(1).map((_, month) => hasDriftedFrom(month, month + 1))).toEqual(Array(8).fill(false));
  expect(hasDriftedFrom(0, 8)).toBe(true);
});
