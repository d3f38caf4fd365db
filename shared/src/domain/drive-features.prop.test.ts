import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { driveFeatureDirections, driveFeatureNames, driveFeatures } from './drive-features.ts';
import { type DriveHistory, type DrivePoint, HistoryBuilder, historyOf } from './drive-history.ts';

const kind = { maker: 'seagate', capacityBytes: 4e12 } as const;
const counters = ['5', '10', '12', '187', '188', '189', '196', '197', '198'];
const anyPoint = fc.record({
  day: fc.double({ min: 0, max: 400, noNaN: true }),
  powerOnHours: fc.option(fc.nat(60_000), { nil: null }),
  smart: fc.dictionary(fc.constantFrom(...counters), fc.oneof(fc.nat(1_000), fc.constantFrom(4_295_032_833, -1, Number.NaN, Number.POSITIVE_INFINITY))),
});
const anyLife: fc.Arbitrary<DrivePoint[]> = fc.array(anyPoint, { maxLength: 30 }).map((points) => points.sort((a, b) => a.day - b.day));

function featuresOf(history: DriveHistory, day: number): Float64Array {
  const features = new Float64Array(driveFeatureNames.length);
  driveFeatures(history, kind, day, features);
  return features;
}

const featuresAt = (points: readonly DrivePoint[], day: number): Float64Array => featuresOf(historyOf(points), day);

describe('the features of a drive', () => {
  test('have one name each, and know nothing that was reported later', () => {
    expect(new Set(driveFeatureNames).size).toBe(driveFeatureNames.length);
    expect(driveFeatureDirections).toHaveLength(driveFeatureNames.length);
    fc.assert(
      fc.property(anyLife, fc.double({ min: 0, max: 400, noNaN: true }), (points, day) => {
        // A later life under the same name would take the earlier one away: that is what it shall do, so it is left out here.
        const calm = points.map((point) => ({ ...point, powerOnHours: null, smart: { ...point.smart, 5: 0, 187: 0 } }));
        const known = calm.filter((point) => point.day <= day);
        const [until, whole] = [known, calm].map((list) => {
          const builder = new HistoryBuilder();
          for (const point of list) builder.add(point);
          return featuresOf(builder.history, day);
        });
        expect(until).toEqual(whole);
      }),
    );
  });

  test('are numbers or missing, never infinite', () => {
    fc.assert(
      fc.property(anyLife, fc.double({ min: 0, max: 500, noNaN: true }), (points, day) => {
        for (const value of featuresAt(points, day)) expect(Number.isNaN(value) || Number.isFinite(value)).toBe(true);
      }),
    );
  });

  test('of a drive that was never read are all missing', () => {
    expect([...featuresAt([], 10)].every(Number.isNaN)).toBe(true);
  });

  test('see a rise in its windows and forget it behind them', () => {
    const life = [0, 100].map((day) => ({ day, powerOnHours: 1_000 + 24 * day, smart: { 5: day === 0 ? 8 : 24, 197: 0 } }));
    const at = (day: number, name: string): number => featuresAt(life, day)[driveFeatureNames.indexOf(name)]!;
    expect([at(103, 'smart5'), at(103, 'smart5.change7'), at(120, 'smart5.change7'), at(120, 'smart5.change30'), at(300, 'smart5.change90')]).toEqual([
      24, 16, 0, 16, 0,
    ]);
    expect([at(103, 'smart5.daysSinceRise'), at(300, 'smart5.daysSinceRise'), at(103, 'damage.kinds'), at(110, 'powerOnHours')]).toEqual([3, 200, 1, 3_640]);
    expect(at(103, 'smart187')).toBeNaN();
  });
});

describe('the history of a drive', () => {
  const life = (days: readonly number[], of: (day: number) => Record<string, number>): DrivePoint[] =>
    days.map((day) => ({ day, powerOnHours: 100 + day * 24, smart: of(day) }));

  test('keeps the moments of change, and of one day the last', () => {
    const history = historyOf(life([0, 1, 2, 3.1, 3.5, 3.9, 7], (day) => ({ 5: day < 3 ? 0 : Math.floor(day * 2) })));
    expect(history.days).toEqual([0, 3.9, 7]);
    expect(history.counts[0]).toEqual([0, 7, 14]);
  });

  test('begins anew with another drive under the same name, or when a counter that only grows goes back', () => {
    const other = [...life([0, 10], () => ({ 5: 900 })), { day: 11, powerOnHours: 3, smart: { 5: 0 } }];
    expect(historyOf(other).days).toEqual([11]);
    expect(historyOf(life([0, 10, 20], (day) => ({ 5: day === 10 ? 40 : 0 }))).days).toEqual([20]);
  });

  test('unpacks what makers pack into one number', () => {
    expect(historyOf([{ day: 0, powerOnHours: 1, smart: { 188: 4_295_032_833 } }]).counts[4]).toEqual([1]);
  });
});
