import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import { seededRandom } from '@data-in-motion/shared/random';
import { expect, test } from 'vitest';
import { distributionOf, type FeatureRows } from './feature-distribution.ts';
import { compareFeatures, hasDrifted } from './feature-drift.ts';
import { featureInWords } from './feature-words.ts';

const pending = driveFeatureNames.indexOf('smart197');
const hours = driveFeatureNames.indexOf('powerOnHours');

/** Nothing before is compared with nothing. */
const compared = (before: FeatureRows, now: FeatureRows) => {
  const distribution = distributionOf(before);
  return distribution === null ? [] : compareFeatures(distribution, now);
};
const featureDrift = (before: FeatureRows, now: FeatureRows) => compared(before, now).filter(hasDrifted);

function fleet(drives: number, seed: number, change: (row: Float64Array, n: number) => void = () => {}): Float64Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: drives }, (_, n) => {
    const row = Float64Array.from(driveFeatureNames, () => Math.floor(random.next() * 50));
    change(row, n);
    return row;
  });
}

test('a counter that grew over the fleet has drifted, with where it was and is', () => {
  const drifted = featureDrift(
    fleet(300, 1),
    fleet(300, 2, (row) => {
      row[pending] = row[pending]! + 40;
    }),
  );
  expect(drifted.map((one) => one.feature)).toEqual(['smart197']);
  expect(drifted[0]!.index).toBeGreaterThan(1);
  expect(drifted[0]!.median! - drifted[0]!.medianBefore!).toBeGreaterThan(30);
});

test('that a counter is not reported any more is a drift too', () => {
  const silent = fleet(300, 2, (row, n) => {
    if (n % 2 === 0) row[pending] = Number.NaN;
  });
  expect(featureDrift(fleet(300, 1), silent).map((one) => one.feature)).toEqual(['smart197']);
});

test('chance is no drift, in fleets of any size', () => {
  for (const drives of [30, 60, 300, 2_000]) expect(featureDrift(fleet(drives, drives), fleet(drives, drives + 1))).toEqual([]);
});

test('time that passes is no drift, nor is a fleet of a few drives', () => {
  const older = fleet(300, 2, (row) => {
    row[hours] = 1e6;
  });
  expect(featureDrift(fleet(300, 1), older)).toEqual([]);
  expect(distributionOf(fleet(29, 1))).toBeNull();
  expect(
    featureDrift(
      fleet(300, 1),
      fleet(29, 2, (row) => void row.fill(99)),
    ),
  ).toEqual([]);
});

test('a fleet where nearly all counters are zero, as they are, has its few bins', () => {
  const zero = (row: Float64Array) => void row.fill(0);
  expect(featureDrift(fleet(300, 1, zero), fleet(300, 2, zero))).toEqual([]);
});

test('a feature comes with the shares that its index is made of, which are all drives', () => {
  const silent = fleet(300, 2, (row, n) => {
    if (n % 2 === 0) row[pending] = Number.NaN;
  });
  const [strongest, ...rest] = compared(fleet(300, 1), silent);
  expect(strongest!.feature).toBe('smart197');
  // Of 300 drives in ten bins, chance makes a little more than a quarter.
  expect(strongest!.bound).toBeCloseTo(0.26, 3);
  expect(rest.length).toBeGreaterThan(40);
  const { edges, sharesBefore, shares } = strongest!;
  expect([sharesBefore.length, shares.length]).toEqual([edges.length + 2, edges.length + 2]);
  for (const all of [sharesBefore, shares]) expect(all.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 2);
  expect([sharesBefore.at(-1)!, shares.at(-1)!].map((share) => share.toFixed(1))).toEqual(['0.0', '0.5']);
});

test('every feature has words', () => {
  expect(['smart197.change30', 'smart5.rises90', 'maker.wdc', 'changes7', 'damage.kinds'].map(featureInWords)).toEqual([
    'change of pending sectors over 30 days',
    'rises of reallocated sectors in 90 days',
    'drives made by WDC',
    'days with changes in 7',
    'kinds of damage',
  ]);
  for (const feature of driveFeatureNames) expect(featureInWords(feature)).not.toMatch(/smart\d|undefined|^damage\./);
});
