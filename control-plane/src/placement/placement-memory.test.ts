import { expect, test } from 'vitest';
import { defaultDecisionSettings as settings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot, ShadowPrice } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { carryOver } from './carry-over.ts';
import { askFleet } from './fleet-question.ts';
import { placeByPrices } from './place-fleet.ts';
import { earlierPrices, PlacementMemory } from './placement-memory.ts';
import { prepare } from './prepare-assignment.ts';
import { questionsOf } from './questions.ts';
import { screen } from './screen.ts';

const fleet = randomFleet(5, { targets: 8, datasets: 60, sites: 4, room: 1, trouble: 0.2 });
const ask = (snapshot: FleetSnapshot) => {
  const heats = fleetHeats(snapshot, settings.heat);
  const needs = fleetNeeds(snapshot, heats, settings);
  const { context, wanted, needsOf } = askFleet(snapshot, needs, heats, settings.placement, settings, undefined);
  return { open: screen(context, questionsOf(context, wanted, needsOf)), heats, needs };
};
const planned = async (snapshot: FleetSnapshot, memory?: PlacementMemory) => {
  const { needs, heats } = ask(snapshot);
  return placeByPrices(snapshot, needs, heats, settings.placement, settings, undefined, memory);
};

test('what was found of a dataset is found again where it stands now, and nothing of one that is new or changed', async () => {
  const memory = new PlacementMemory();
  expect(memory.earlierOf(ask(fleet).open)).toBeNull();
  await planned(fleet, memory);
  expect(memory.earlierOf(ask(fleet).open)).toMatchObject({ rows: null, columns: null });

  const [gone, grown, ...others] = ask(fleet).open.asked.map(({ dataset }) => dataset);
  const datasets = fleet.datasets
    .filter((dataset) => dataset !== gone)
    .map((dataset) => (dataset === grown ? { ...dataset, sizeBytes: dataset.sizeBytes + 1e9 } : dataset));
  const { open } = ask({ ...fleet, datasets: datasets.reverse() });
  const prepared = prepare(open.problem);
  const carried = carryOver(prepared, memory.earlierOf(open)!)!;
  const changed = [...carried.changed].map((row) => open.asked[row]!.dataset.datasetId);
  expect(changed).toContain(grown!.datasetId);
  expect(changed.length).toBeLessThan(others.length / 4);
});

test('prices that are known by name stand where their targets are now; without any there is no beginning', async () => {
  const { open } = ask(fleet);
  const [first, second] = open.targets;
  const price = (targetId: ShadowPrice['targetId'], resource: ShadowPrice['resource'], dollarsPerUnit: number): ShadowPrice => ({
    targetId,
    resource,
    dollarsPerUnit,
  });
  const known = [price(second!.targetId, 'bytes', 2), price(first!.targetId, 'requests', 3), price('gone' as ShadowPrice['targetId'], 'bytes', 4)];
  const { prices } = earlierPrices(open, known)!;
  const targets = open.targets.length;
  expect([...prices.entries()].filter(([, dollars]) => dollars > 0)).toEqual([
    [1, 2],
    [2 * targets, 3],
  ]);
  expect(prices).toHaveLength(3 * targets);
  expect(earlierPrices(open, [])).toBeNull();
});

test('what a plan says is scarce is enough for the next to begin with, as close to the best', async () => {
  const crowded = randomFleet(5, { targets: 8, datasets: 60, sites: 4, room: 0.3, trouble: 0.2 });
  const cold = await planned(crowded);
  expect(cold.shadowPrices.length).toBeGreaterThan(0);
  expect(cold.full).toHaveLength(cold.shadowPrices.filter(({ resource }) => resource === 'bytes').length);
  const warm = await planned({ ...crowded, shadowPrices: cold.shadowPrices });
  expect(warm.objectivePerMonth).toBeLessThan(1.01 * cold.objectivePerMonth);
  expect(await planned({ ...crowded, shadowPrices: cold.shadowPrices })).toEqual({ ...warm, solvedInMs: expect.any(Number) });
});

test('a plan that begins where the last one ended costs little more than one from nothing, and is the same from the same memory', async () => {
  const plans = [];
  for (let run = 0; run < 2; run++) {
    const memory = new PlacementMemory();
    await planned(fleet, memory);
    plans.push(await planned({ ...fleet, datasets: fleet.datasets.slice(3) }, memory));
  }
  expect({ ...plans[0]!, solvedInMs: 0 }).toEqual({ ...plans[1]!, solvedInMs: 0 });
  const cold = await planned({ ...fleet, datasets: fleet.datasets.slice(3) });
  expect(plans[0]!.objectivePerMonth).toBeLessThan(1.05 * cold.objectivePerMonth);
});
