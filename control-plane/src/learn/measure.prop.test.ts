import { seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calibrate } from './calibrate.ts';
import { intervalsByDrive, measure } from './measure.ts';

const scored = fc.array(fc.record({ score: fc.integer({ min: -5, max: 5 }), failed: fc.constantFrom(0, 0, 0, 1) }), { minLength: 1, maxLength: 60 });

describe('what is measured', () => {
  test('is the chance that a failure scores higher, counted pair by pair', () => {
    fc.assert(
      fc.property(scored, (rows) => {
        const failed = rows.map((row) => row.failed);
        const pairs = rows
          .filter((row) => row.failed === 1)
          .flatMap((one) => rows.filter((row) => row.failed === 0).map((other) => Math.sign(one.score - other.score)));
        const expected = pairs.length === 0 ? null : pairs.reduce((sum, sign) => sum + (sign + 1) / 2, 0) / pairs.length;
        const { auc, truePositiveRate, failures } = measure({ score: rows.map((row) => row.score), failed });
        if (expected === null) expect(auc).toBeNull();
        else expect(auc).toBeCloseTo(expected, 9);
        expect(failures).toBe(failed.filter((one) => one === 1).length);
        if (auc !== null) expect(truePositiveRate['0.001']).toBeLessThanOrEqual(truePositiveRate['0.01']! + 1e-12);
      }),
    );
  });

  test('of a perfect judge is one, and of none at all nothing', () => {
    expect(measure({ score: [3, 2, 1, 0], failed: [1, 1, 0, 0] })).toMatchObject({ auc: 1, averagePrecision: 1, truePositiveRate: { '0.01': 1 } });
    expect(measure({ score: [], failed: [] })).toMatchObject({ auc: null, baseRate: 0, decisions: 0 });
  });

  test('comes with intervals that hold the figure, wider for fewer drives', () => {
    const random = seededRandom(1);
    const of = (drives: number) => {
      const rows = Array.from({ length: drives * 10 }, (_, i) => ({
        driveId: `${i % drives}`,
        failed: i % drives < drives / 10 ? 1 : 0,
        noise: random.next(),
      }));
      const list = {
        driveId: rows.map((row) => row.driveId),
        score: rows.map((row) => row.failed + 2 * row.noise),
        failed: rows.map((row) => row.failed),
      };
      const { auc } = intervalsByDrive(list, (one) => ({ auc: measure(one).auc }), 100, seededRandom(2));
      const value = measure(list).auc!;
      expect(auc!.low).toBeLessThanOrEqual(value);
      expect(auc!.high).toBeGreaterThanOrEqual(value);
      return auc!.high - auc!.low;
    };
    expect(of(40)).toBeGreaterThan(of(400));
  });
});

describe('probabilities', () => {
  test('rise with the log-odds, are never certain, and in sum foretell what happened', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ odds: fc.double({ min: -9, max: 3, noNaN: true }), luck: fc.double({ min: 0, max: 1, noNaN: true }) }), { maxLength: 300 }),
        (rows) => {
          const failed = rows.map(({ odds, luck }) => (luck < 1 / (1 + Math.exp(-odds)) ? 1 : 0));
          const curve = calibrate(
            rows.map((row) => row.odds),
            failed,
            rows.map(() => 1),
            30,
          );
          for (const [i, probability] of curve.probability.entries()) {
            expect(probability).toBeGreaterThanOrEqual(i === 0 ? 0 : curve.probability[i - 1]!);
            expect(probability).toBeLessThan(1);
            if (i > 0) expect(curve.logOdds[i]!).toBeGreaterThanOrEqual(curve.logOdds[i - 1]!);
          }
        },
      ),
    );
  });
});
