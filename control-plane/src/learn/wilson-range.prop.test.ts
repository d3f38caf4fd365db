import { seededRandom } from '@data-in-motion/shared/random';
import { expect, test } from 'vitest';
import { wilsonRange } from './wilson-range.ts';

test('the ranges are those that the formula gives by hand', () => {
  const rounded = (of: number, among: number) => Object.values(wilsonRange(of, among)!).map((end) => Number(end.toFixed(4)));
  expect([rounded(8, 10), rounded(0, 20), rounded(5, 5), rounded(50, 100)]).toEqual([
    [0.4902, 0.9433],
    [0, 0.1611],
    [0.5655, 1],
    [0.4038, 0.5962],
  ]);
  expect(wilsonRange(0, 0)).toBeNull();
});

test('about 95 of 100 ranges hold the share that things were counted by', () => {
  const seed = 20;
  const random = seededRandom(seed);
  const tries = 4_000;
  for (const share of [0.05, 0.3, 0.6, 0.95]) {
    let held = 0;
    for (let i = 0; i < tries; i++) {
      const among = 10 + Math.floor(random.next() * 60);
      let of = 0;
      for (let n = 0; n < among; n++) if (random.next() < share) of++;
      const range = wilsonRange(of, among)!;
      expect(range.low <= of / among && of / among <= range.high).toBe(true);
      if (range.low <= share && share <= range.high) held++;
    }
    expect(held / tries, `seed ${seed}, share ${share}`).toBeGreaterThan(0.92);
    expect(held / tries, `seed ${seed}, share ${share}`).toBeLessThan(0.98);
  }
});
