import { type Random, seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignmentInstance } from '../../bench/assignment-instance.ts';
import type { Assignment } from './assignment.ts';
import { type PreparedAssignment, prepare } from './prepare-assignment.ts';
import { PricePass } from './price-pass.ts';
import { smallAssignment } from './testdata/small-assignment.ts';

describe('a pass that has seen these datasets under other prices', { timeout: 120_000 }, () => {
  test('finds for each what one finds that sees them for the first time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = seededRandom(seed);
        const problem: Assignment = random.next() < 0.5 ? smallAssignment(random, { datasets: 30, targets: 8, copies: 3 }) : assignmentInstance(60, 15, seed);
        const prepared = prepare(problem);
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

function looked(prepared: PreparedAssignment, pass: PricePass, prices: Float64Array, whims: number, window: number): unknown {
  const { count } = prepared.problem.datasets;
  const places = new Int16Array(count * prepared.width).fill(-1);
  const values = new Float64Array(count);
  pass.run(prices, { rows: null, weights: null, whims, window, places, values });
  return { places, values, used: [...pass.used], dollars: pass.dollars, bends: window > 0 ? [...pass.curvature.matrix] : [] };
}

/** Some of them up or down, by next to nothing or by many times the usual cost. */
function moved({ usual, problem }: PreparedAssignment, prices: Float64Array, random: Random): Float64Array {
  const far = 10 ** (2 - 6 * random.next());
  return prices.map((price, at) => {
    const by = random.next() < 0.5 ? 0 : far * (2 * random.next() - 1) * usual[Math.floor(at / problem.targets.count)]!;
    return Math.max(0, price + by);
  });
}
