import { seededRandom } from '@data-in-motion/shared/random';
import { describe, expect, test } from 'vitest';
import { binRows, findEdges } from './binned-rows.ts';
import { type BoostSettings, boostTrees, type Labelled } from './boost-trees.ts';
import { fitElasticNet, logisticLogOdds } from './elastic-net.ts';
import { measure } from './measure.ts';
import { growForest, sumOfTrees } from './random-forest.ts';

const settings: BoostSettings = {
  trees: 60,
  learningRate: 0.1,
  rowShare: 0.8,
  columnShare: 1,
  failureWeight: 1,
  leaves: 8,
  depth: 4,
  evidence: 0.2,
  shrink: 1,
};
const noDirection = new Int8Array(3);

/** Rows of three features; the first two decide together, the third is noise, and some values are missing. */
function rows(count: number, seed: number, fails: (a: number, b: number, random: () => number) => boolean): { values: Float32Array; label: Uint8Array } {
  const random = seededRandom(seed);
  const values = new Float32Array(count * 3);
  const label = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const [a, b] = [random.next(), random.next()];
    values.set([a, b, random.next()], row * 3);
    label[row] = fails(a, b, () => random.next()) ? 1 : 0;
  }
  return { values, label };
}

function labelled({ values, label }: { values: Float32Array; label: Uint8Array }, edges = findEdges(values, 3, seededRandom(1))): Labelled {
  return { data: binRows(values, edges), label, weight: new Float32Array(label.length).fill(1) };
}

describe('boosted trees', () => {
  const together = (a: number, b: number, random: () => number): boolean => ((a > 0.7 && b > 0.6) || (a < 0.3 && b < 0.4) ? random() < 0.8 : random() < 0.02);

  test('learn what two features say together, and say it of rows they never saw', () => {
    const [learned, other] = [rows(4_000, 1, together), rows(4_000, 2, together)];
    const edges = findEdges(learned.values, 3, seededRandom(1));
    const model = boostTrees(labelled(learned, edges), noDirection, settings, seededRandom(1));
    const score = sumOfTrees(model, binRows(other.values, edges));
    expect(measure({ score, failed: other.label }).auc).toBeGreaterThan(0.85);
    const straight = fitElasticNet(learned.values, learned.label, new Float32Array(4_000).fill(1), { c: 10, l1Ratio: 0, rounds: 100 });
    expect(measure({ score: logisticLogOdds(straight, other.values), failed: other.label }).auc).toBeLessThan(0.7);
  });

  test('send missing values where the failures are', () => {
    const learned = rows(2_000, 3, (a) => a > 0.9);
    const missing = learned.values.map((value, place) => (place % 3 === 0 && value > 0.9 ? Number.NaN : value));
    const model = boostTrees(labelled({ ...learned, values: missing }), noDirection, settings, seededRandom(1));
    const edges = findEdges(missing, 3, seededRandom(1));
    expect(measure({ score: sumOfTrees(model, binRows(missing, edges)), failed: learned.label }).auc).toBeGreaterThan(0.99);
  });

  test('keep a known direction over all of a feature, though the data says otherwise here and there', () => {
    const learned = rows(3_000, 4, (a, _, random) => random() < (a > 0.4 && a < 0.6 ? 0.02 : 0.1 + 0.5 * a));
    const edges = findEdges(learned.values, 3, seededRandom(1));
    const path = Float32Array.from({ length: 300 }, (_, place) => (place % 3 === 0 ? place / 300 : 0.5));
    const steps = (directions: Int8Array): number => {
      const score = sumOfTrees(boostTrees(labelled(learned, edges), directions, settings, seededRandom(1)), binRows(path, edges));
      return score.filter((value, i) => i > 0 && value < score[i - 1]! - 1e-9).length;
    };
    expect(steps(noDirection)).toBeGreaterThan(0);
    expect(steps(Int8Array.from([1, 0, 0]))).toBe(0);
  });

  test('find more of the failures at even odds when a failure weighs more', () => {
    const [learned, other] = [rows(4_000, 5, (a, _, random) => random() < 0.3 * a), rows(4_000, 6, (a, _, random) => random() < 0.3 * a)];
    const edges = findEdges(learned.values, 3, seededRandom(1));
    const recall = (failureWeight: number): number => {
      const score = sumOfTrees(
        boostTrees(labelled(learned, edges), noDirection, { ...settings, failureWeight }, seededRandom(1)),
        binRows(other.values, edges),
      );
      return other.label.filter((one, row) => one === 1 && score[row]! > 0).length;
    };
    expect(recall(8)).toBeGreaterThan(recall(1) + 100);
  });

  test('end early when other rows do not get better by it', () => {
    const noise = (_: number, __: number, random: () => number): boolean => random() < 0.2;
    const [learned, other] = [rows(600, 7, noise), rows(600, 8, noise)];
    const edges = findEdges(learned.values, 3, seededRandom(1));
    const model = boostTrees(labelled(learned, edges), noDirection, settings, seededRandom(1), { rows: labelled(other, edges), patience: 10 });
    expect(model.trees.length).toBeLessThan(30);
  });

  test.each([0, 1, 2, 5])('of %i rows are a model, and no crash', (count) => {
    const few = rows(count, 9, (a) => a > 0.5);
    const { base, trees } = boostTrees(labelled(few), noDirection, settings, seededRandom(1));
    expect(Number.isFinite(base)).toBe(true);
    expect(trees.length).toBeLessThanOrEqual(settings.trees);
    expect(growForest(labelled(few), { trees: 5, maxFeatures: 1, maxDepth: 3, minLeafRows: 1, failureWeight: 1 }, seededRandom(1)).trees.length).toBeLessThan(
      6,
    );
    expect(logisticLogOdds(fitElasticNet(few.values, few.label, new Float32Array(count).fill(1), { c: 1, l1Ratio: 0.5, rounds: 10 }), few.values)).toHaveLength(
      count,
    );
  });
});

describe('the baselines', () => {
  test('of absolute values alone keep only the features that matter', () => {
    const learned = rows(3_000, 10, (a, _, random) => random() < a * 0.8);
    const weight = new Float32Array(3_000).fill(1);
    const sparse = fitElasticNet(learned.values, learned.label, weight, { c: 0.01, l1Ratio: 1, rounds: 300 });
    expect([...sparse.coefficients].map((one) => one !== 0)).toEqual([true, false, false]);
    expect(fitElasticNet(learned.values, learned.label, weight, { c: 0.01, l1Ratio: 0, rounds: 300 }).coefficients.every((one) => one !== 0)).toBe(true);
  });

  test('of a forest answer shares of failures', () => {
    const learned = rows(3_000, 11, (a, _, random) => random() < (a > 0.5 ? 0.6 : 0.1));
    const edges = findEdges(learned.values, 3, seededRandom(1));
    const forest = growForest(labelled(learned, edges), { trees: 40, maxFeatures: 0.7, maxDepth: 4, minLeafRows: 40, failureWeight: 1 }, seededRandom(1));
    const shares = sumOfTrees(forest, binRows(Float32Array.from([0.9, 0.5, 0.5, 0.1, 0.5, 0.5]), edges));
    expect(shares[0]).toBeGreaterThan(0.4);
    expect(shares[0]).toBeLessThan(0.75);
    expect(shares[1]).toBeLessThan(0.3);
  });
});
