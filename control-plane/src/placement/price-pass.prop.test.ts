import { seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepare } from './prepare-assignment.ts';
import { PricePass } from './price-pass.ts';
import { looked, moved, someProblem } from './testdata/price-looks.ts';

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
