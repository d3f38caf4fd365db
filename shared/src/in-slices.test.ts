import { expect, test } from 'vitest';
import { inSlices } from './in-slices.ts';
import { seededRandom } from './random.ts';

test('a long list is gone through in its order, and others have their turn in between', async () => {
  const random = seededRandom(1);
  const list = Array.from({ length: 5_000 }, () => random.next());
  let turns = 0;
  const others = setInterval(() => turns++, 0);
  const made = await inSlices(list, (item) => {
    for (const until = performance.now() + 0.01; performance.now() < until; );
    return item < 0.5 ? [item, item] : [];
  });
  clearInterval(others);
  expect(made).toEqual(list.flatMap((item) => (item < 0.5 ? [item, item] : [])));
  expect(turns).toBeGreaterThan(5);
});
