import fc from 'fast-check';
import { expect, test } from 'vitest';
import { driveFeatureNames } from './drive-features.ts';
import { type Calibration, FailureJudge } from './failure-model.ts';

const judgeBy = (calibration: Calibration): FailureJudge =>
  new FailureJudge({
    format: 1,
    name: 'drive-failure',
    version: '',
    features: driveFeatureNames,
    base: 0,
    trees: { roots: [], feature: [], threshold: [], left: [], right: [], missingLeft: [], value: [] },
    calibration: [calibration],
    levels: { watch: 0.01, 'at-risk': 0.05, failing: 0.3 },
    trained: { dataHash: '', from: '', to: '', drives: 0, failures: 0, seed: 0, parameters: {} },
  });
const rising = (least: number, most: number) =>
  fc
    .uniqueArray(fc.integer({ min: least, max: most }), { minLength: 2, maxLength: 24 })
    .map((list) => list.sort((a, b) => a - b).map((value) => value / 1_000));
const curve = fc.tuple(rising(-9_000, 3_000), rising(1, 990)).map(([logOdds, probability]): Calibration => {
  const corners = Math.min(logOdds.length, probability.length);
  return { horizonDays: 30, logOdds: logOdds.slice(0, corners), probability: probability.slice(0, corners) };
});

test('whoever the trees put above another has the higher probability, also beyond the ends of the curve, and none is certain', () => {
  fc.assert(
    fc.property(curve, fc.double({ min: -14, max: 8, noNaN: true }), fc.double({ min: 0.01, max: 5, noNaN: true }), (calibration, at, more) => {
      const judge = judgeBy(calibration);
      const [lower, upper] = [judge.probability(at, 30), judge.probability(at + more, 30)];
      expect(lower).toBeGreaterThan(0);
      expect(upper).toBeGreaterThan(lower);
      expect(upper).toBeLessThan(1);
    }),
  );
});

test('at a corner the curve says what was measured there', () => {
  fc.assert(
    fc.property(curve, (calibration) => {
      const judge = judgeBy(calibration);
      for (const [i, at] of calibration.logOdds.entries()) expect(judge.probability(at, 30)).toBeCloseTo(calibration.probability[i]!, 12);
    }),
  );
});

test('a curve of one point says the same of all', () => {
  const judge = judgeBy({ horizonDays: 30, logOdds: [-5], probability: [0.002] });
  expect([-9, -5, 2].map((at) => judge.probability(at, 30))).toEqual([0.002, 0.002, 0.002]);
});
