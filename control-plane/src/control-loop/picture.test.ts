import { expect, test } from 'vitest';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { picture } from './decide.ts';
import { defaultLoopSettings } from './parts.ts';

test('what a pass sees slice by slice is what the rules say of the whole fleet', async () => {
  const snapshot = randomFleet(5, { targets: 9, datasets: 1_500, sites: 4, room: 4, trouble: 0.3 });
  const heats = fleetHeats(snapshot, defaultLoopSettings.decisions.heat);
  const seen = await picture(snapshot, { settings: defaultLoopSettings });
  expect({ ...seen, heats: new Map(seen.heats) }).toEqual({
    snapshot,
    heats,
    needs: fleetNeeds(snapshot, heats, defaultLoopSettings.decisions),
  });
});
