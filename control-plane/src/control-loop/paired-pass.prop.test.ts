import { type Random, seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PreparedAssignment, prepare } from '../placement/prepare-assignment.ts';
import { PricePass } from '../placement/price-pass.ts';
import { allRows, looked, moved, type Sample, someProblem } from '../placement/testdata/price-looks.ts';
import { PairedPass } from './paired-pass.ts';

describe('a pass that two threads share', { timeout: 120_000 }, () => {
  test('finds for each dataset what one thread finds, and the same sums but for rounding', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = seededRandom(seed);
        const prepared = prepare(someProblem(random, seed));
        const pair = new PairedPass(prepared);
        const samples: Sample[] = [allRows, sampleOf(prepared, random), sampleOf(prepared, random)];
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

function sampleOf({ problem }: PreparedAssignment, random: Random): Sample {
  const rows = Int32Array.from({ length: problem.datasets.count }, (_, row) => row).filter(() => random.next() < 0.6);
  return { rows, weights: Float64Array.from(rows, () => 1 + random.next()) };
}

/** The largest difference, as a share of the largest number. */
function farthest(some: readonly number[], others: readonly number[]): number {
  const largest = others.reduce((most, other) => Math.max(most, Math.abs(other)), 1e-300);
  return some.reduce((most, one, at) => Math.max(most, Math.abs(one - others[at]!)), 0) / largest;
}
