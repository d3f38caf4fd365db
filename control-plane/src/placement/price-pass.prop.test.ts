import { type Random, seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignmentInstance } from '../../bench/assignment-instance.ts';
import type { Assignment } from './assignment.ts';
import { PairedPass, type Pass } from './paired-pass.ts';
import { type PreparedAssignment, prepare } from './prepare-assignment.ts';
import { type Look, PricePass } from './price-pass.ts';
import { sharedFloats, sharedShorts } from './shared-numbers.ts';
import { smallAssignment } from './testdata/small-assignment.ts';

describe('a pass that has seen these datasets under other prices', { timeout: 120_000 }, () => {
  test('finds for each what one finds that sees them for the first time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = seededRandom(seed);
        const prepared = prepare(someProblem(random, seed));
        const pass = new PricePass(prepared);
        let prices: Float64Array = new Float64Array(prepared.limits.length);
        for (let step = 0; step < 20; step++) {
          const whims = random.next() < 0.3 ? 0 : 10 ** (-1 - 4 * random.next());
          const window = random.next() < 0.5 ? 0 : whims / 2;
          expect(looked(prepared, pass, prices, whims, window)).toEqual(looked(prepared, new PricePass(prepared), prices, whims, window));
          prices = moved(prepared, prices, random);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a pass that two threads share', { timeout: 120_000 }, () => {
  test('finds for each dataset what one thread finds, and the same sums but for rounding', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = seededRandom(seed);
        const prepared = prepare(someProblem(random, seed));
        const pair = new PairedPass(prepared);
        const samples: Sample[] = [all, sampleOf(prepared, random), sampleOf(prepared, random)];
        let prices: Float64Array = new Float64Array(prepared.limits.length);
        for (let step = 0; step < 8; step++) {
          const whims = random.next() < 0.3 ? 0 : 10 ** (-1 - 4 * random.next());
          const window = random.next() < 0.5 ? 0 : whims / 2;
          const sample = samples[step % samples.length]!;
          const one = looked(prepared, new PricePass(prepared), prices, whims, window, sample);
          const two = looked(prepared, pair, prices, whims, window, sample);
          expect({ places: two.places, values: two.values }).toEqual({ places: one.places, values: one.values });
          for (const sum of ['used', 'bends', 'sums'] as const) expect(farthest(two[sum], one[sum])).toBeLessThan(1e-9);
          prices = moved(prepared, prices, random);
        }
        pair.end();
      }),
      { numRuns: 100 },
    );
  });
});

type Sample = Pick<Look, 'rows' | 'weights'>;
const all: Sample = { rows: null, weights: null };

function sampleOf({ problem }: PreparedAssignment, random: Random): Sample {
  const rows = Int32Array.from({ length: problem.datasets.count }, (_, row) => row).filter(() => random.next() < 0.6);
  return { rows, weights: Float64Array.from(rows, () => 1 + random.next()) };
}

function someProblem(random: Random, seed: number): Assignment {
  return random.next() < 0.5 ? smallAssignment(random, { datasets: 30, targets: 8, copies: 3 }) : assignmentInstance(60, 15, seed);
}

/** The largest difference, as a share of the largest number. */
function farthest(some: readonly number[], others: readonly number[]): number {
  const largest = others.reduce((most, other) => Math.max(most, Math.abs(other)), 1e-300);
  return some.reduce((most, one, at) => Math.max(most, Math.abs(one - others[at]!)), 0) / largest;
}

function looked(prepared: PreparedAssignment, pass: Pass, prices: Float64Array, whims: number, window: number, sample = all) {
  const { count } = prepared.problem.datasets;
  const places = sharedShorts(count * prepared.width).fill(-1);
  const values = sharedFloats(count);
  pass.run(prices, { ...sample, whims, window, places, values });
  return {
    places: [...places],
    values: [...values],
    used: [...pass.used],
    sums: [pass.dollars, pass.magnitude],
    bends: window > 0 ? [...pass.curvature.matrix] : [],
  };
}

/** Some of them up or down, by next to nothing or by many times the usual cost. */
function moved({ usual, problem }: PreparedAssignment, prices: Float64Array, random: Random): Float64Array {
  const far = 10 ** (2 - 6 * random.next());
  return prices.map((price, at) => {
    const by = random.next() < 0.5 ? 0 : far * (2 * random.next() - 1) * usual[Math.floor(at / problem.targets.count)]!;
    return Math.max(0, price + by);
  });
}
