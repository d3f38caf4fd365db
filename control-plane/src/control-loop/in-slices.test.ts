import { seededRandom } from '@data-in-motion/shared/random';
import { expect, test } from 'vitest';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { picture } from './decide.ts';
import { inSlices } from './in-slices.ts';
import { defaultLoopSettings } from './parts.ts';

test('a long list is gone through in its order, and others have their turn in between', async () => {
  const list = Array.from({ length: 5_000 }, () => seededRandom(1).next());
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

test('what a pass sees slice by slice is what the rules say of the whole fleet', async () => {
  const snapshot = randomFleet(5, { targets: 9, datasets: 1_500, sites: 4, room: 4, trouble: 0.3 });
  const heats = fleetHeats(snapshot, defaultLoopSettings.decisions.heat);
  expect(await picture(snapshot, { settings: defaultLoopSettings })).toEqual({
    snapshot,
    heats,
    needs: fleetNeeds(snapshot, heats, defaultLoopSettings.decisions),
  });
});
