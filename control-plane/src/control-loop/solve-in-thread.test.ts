import { afterAll, expect, test } from 'vitest';
import { defaultDecisionSettings as settings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { placeFleet, workFor } from '../placement/place-fleet.ts';
import { PlacementMemory } from '../placement/placement-memory.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { solverThread } from './solve-in-thread.ts';

const thread = solverThread(settings);
afterAll(() => thread.stop());

const here = (snapshot: FleetSnapshot, memory: PlacementMemory) => {
  const heats = fleetHeats(snapshot, settings.heat);
  return placeFleet(snapshot, fleetNeeds(snapshot, heats, settings), heats, settings.placement, settings, undefined, workFor(settings.placement, memory));
};
const there = (snapshot: FleetSnapshot) => thread.solve(snapshot, fleetNeeds(snapshot, fleetHeats(snapshot, settings.heat), settings), new Map(), null);

test('the thread answers what would be answered here, also when it is only told what changed since', async () => {
  const first = randomFleet(8, { targets: 7, datasets: 12, sites: 4, room: 4, trouble: 0.4 });
  const [gone, changed, ...others] = first.datasets;
  const second = { ...first, datasets: [{ ...changed!, policy: { ...changed!.policy, copies: 3 } }, ...others] };
  const plans = await Promise.all([there(first), there(second), there(first)]);
  expect(plans.some((plan) => plan.moves.length > 0)).toBe(true);
  const memory = new PlacementMemory();
  for (const [at, snapshot] of [first, second, first].entries()) {
    const sorted = { ...snapshot, datasets: [...snapshot.datasets].sort((a, b) => (a.datasetId < b.datasetId ? -1 : 1)) };
    expect({ ...plans[at]!, solvedInMs: 0 }).toEqual({ ...(await here(sorted, memory)), solvedInMs: 0 });
  }
  expect(plans[1]!.moves.some((move) => move.datasetId === gone!.datasetId)).toBe(false);
});

test('an answer that was begun ahead is given to whoever asks for just that, and to nobody else', async () => {
  const fleet = randomFleet(9, { targets: 7, datasets: 14, sites: 4, room: 4, trouble: 0.4 });
  const needs = fleetNeeds(fleet, fleetHeats(fleet, settings.heat), settings);
  const [first] = fleet.datasets;
  const only = new Set([needs[0]!.datasetId]);
  const fewer = { ...fleet, datasets: fleet.datasets.slice(1) };
  const later = { ...fleet, takenAtMs: fleet.takenAtMs + 90 * 86_400_000 };
  const ask = async (how: 'ahead' | 'as ever', wanted: FleetSnapshot, which = needs, among: typeof only | null = null) => {
    const own = solverThread(settings);
    if (how === 'ahead') await own.prepare(fleet);
    const plan = await own.solve(wanted, which, new Map(), among);
    await own.stop();
    return { ...plan, solvedInMs: 0 };
  };
  const asks: Parameters<typeof ask>[] = [
    ['ahead', fleet],
    ['ahead', fewer, needs.filter((need) => need.datasetId !== first!.datasetId)],
    ['ahead', later],
    ['ahead', fleet, needs.slice(1)],
    ['ahead', fleet, needs, only],
  ];
  // The moment of a snapshot is its name: what else is said beside it was not read, since the answer stood already.
  const dearer = fleet.targets.map((target) => ({
    ...target,
    prices: target.prices && { ...target.prices, storagePerGbMonth: 2 * target.prices.storagePerGbMonth },
  }));
  const asIfDearer = { ...fleet, targets: dearer };
  expect(await ask('as ever', asIfDearer)).not.toEqual(await ask('as ever', fleet));
  expect(await ask('ahead', asIfDearer)).toEqual(await ask('as ever', fleet));
  for (const [, ...rest] of asks) expect(await ask('ahead', ...rest)).toEqual(await ask('as ever', ...rest));
});
