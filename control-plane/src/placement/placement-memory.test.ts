import { expect, test } from 'vitest';
import { defaultDecisionSettings as settings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { carryOver } from './carry-over.ts';
import { askFleet } from './fleet-question.ts';
import { placeByPrices } from './place-fleet.ts';
import { PlacementMemory } from './placement-memory.ts';
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
