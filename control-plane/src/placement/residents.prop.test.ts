import { randomInt, seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resources } from './assignment.ts';
import { amountOf, prepare } from './prepare-assignment.ts';
import { type Placing, put } from './repair-places.ts';
import { Residents } from './residents.ts';
import { someProblem } from './testdata/price-looks.ts';
import { usedAt } from './testdata/used-at.ts';

test('whoever is in a column, came to it or came back is found there, the smallest that is enough first, then the largest that is not', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const random = seededRandom(seed);
      const prepared = prepare(someProblem(random, seed));
      const { datasets, targets } = prepared.problem;
      const { width } = prepared;
      const places = new Int16Array(datasets.count * width).fill(-1);
      const anywhere = (): number => randomInt(random, -1, targets.count);
      for (let row = 0; row < datasets.count; row++) for (let slot = 0; slot < datasets.copies[row]!; slot++) places[row * width + slot] = anywhere();
      const placing: Placing = { prepared, places, used: usedAt(prepared, places) };
      const residents = new Residents(placing);
      for (let step = 0; step < 60; step++) {
        const row = randomInt(random, 0, datasets.count);
        if (datasets.copies[row] === 0) continue;
        const slot = randomInt(random, 0, datasets.copies[row]!);
        const to = anywhere();
        put(placing, row, slot, to);
        if (to !== -1) residents.came(row * width + slot, to);
        const [column, resource] = [randomInt(random, 0, targets.count), randomInt(random, 0, resources.length)];
        const amount = (copy: number): number => amountOf(prepared.problem, Math.floor(copy / width), copy % width, column, resource);
        const there = [...places.keys()].filter((copy) => places[copy] === column && amount(copy) > 0);
        const enough = there.length === 0 ? 1 : amount(there[randomInt(random, 0, there.length)]!);
        const found = [...residents.nearest(column, resource, enough)];
        expect([...found].sort((a, b) => a - b)).toEqual(there);
        const amounts = found.map(amount);
        const above = amounts.filter((one) => one >= enough).sort((a, b) => a - b);
        const below = amounts.filter((one) => one < enough).sort((a, b) => b - a);
        expect(amounts).toEqual([...above, ...below]);
      }
    }),
    { numRuns: 200 },
  );
});
