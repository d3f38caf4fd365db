import { expect, test } from 'vitest';
import { defaultDecisionSettings as settings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { askFleet } from './fleet-question.ts';
import { placeFleet } from './place-fleet.ts';
import { questionsOf } from './questions.ts';
import { screen } from './screen.ts';

const ask = (fleet: FleetSnapshot) => {
  const heats = fleetHeats(fleet, settings.heat);
  const needs = fleetNeeds(fleet, heats, settings);
  const { context, wanted, needsOf } = askFleet(fleet, needs, heats, settings.placement, settings, undefined);
  const all = questionsOf(context, wanted, needsOf);
  return { heats, needs, all, open: screen(context, all) };
};

/** Only datasets that need nothing: some would still pay for being elsewhere. */
function calm(fleet: FleetSnapshot): FleetSnapshot {
  const needy = new Set(ask(fleet).needs.map(({ datasetId }) => datasetId));
  return { ...fleet, datasets: fleet.datasets.filter(({ datasetId }) => !needy.has(datasetId)) };
}

test('of a large calm fleet those that stay are asked no further; of a restless one all are, in the same order', () => {
  const fleet = randomFleet(1, { targets: 6, datasets: 26_000, sites: 4, room: 4, trouble: 0.1 });
  const quiet = ask(calm(fleet));
  expect(quiet.all.asked.length).toBeGreaterThan(4_000);
  expect(quiet.open.asked.length).toBeLessThan(0.75 * quiet.all.asked.length);
  expect(quiet.open.problem.datasets.count).toBe(quiet.open.asked.length);
  const restless = ask(fleet);
  expect(restless.open.asked).toEqual(restless.all.asked);
  expect(restless.open.problem.datasets).toBe(restless.all.problem.datasets);
});

test('what stays in a fleet that is asked whole makes no move, and the bound holds', async () => {
  const fleet = randomFleet(1, { targets: 6, datasets: 8_000, sites: 4, room: 40, trouble: 0 });
  const { all, open, needs, heats } = ask(fleet);
  expect(all.asked.length).toBeGreaterThan(4_000);
  expect(open.asked).toHaveLength(all.asked.length);
  const plan = await placeFleet(fleet, needs, heats, settings.placement, settings);
  expect(plan.gap).toBeGreaterThanOrEqual(0);
  expect(plan.gap).toBeLessThan(0.001);
  expect(plan.moves.every((move) => move.toTargetId !== move.fromTargetId)).toBe(true);
  for (const move of plan.moves.filter(({ need }) => need === 'cheaper-place' || need === 'follow-heat')) expect(move.changePerMonth).toBeLessThan(0);
});
