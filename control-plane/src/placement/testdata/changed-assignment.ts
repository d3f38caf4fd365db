import { type Random, randomInt } from '@data-in-motion/shared/random';
import type { AssignedDatasets, AssignedTargets, Assignment, PlaceRule } from '../assignment.ts';
import { rowsOfAssignment } from '../assignment-rows.ts';

/**
 * A problem as it may be on another day: some datasets with other numbers, some gone, all in another order, rules numbered anew, and now and then other limits
 * or another price of a target. @returns also where each row was
 */
export function changedAssignment(random: Random, problem: Assignment): { problem: Assignment; rows: Int32Array } {
  const kept = [...Array(problem.datasets.count).keys()].filter((row) => row === 0 || random.next() < 0.9);
  kept.sort(() => random.next() - 0.5);
  const { rules, numbers } = renumbered(random, problem.rules);
  const datasets = rowsOfAssignment(problem.datasets, kept);
  for (let row = 0; row < datasets.count; row++) datasets.rule[row] = numbers[datasets.rule[row]!]!;
  for (let row = 0; row < datasets.count; row++) if (random.next() < 0.3) changeRow(random, datasets, row, rules.length);
  return { problem: { datasets, targets: changedTargets(random, problem.targets), rules }, rows: Int32Array.from(kept) };
}

function renumbered(random: Random, rules: readonly PlaceRule[]): { rules: PlaceRule[]; numbers: number[] } {
  const order = [...rules.keys()].sort(() => random.next() - 0.5);
  // What a domain is called says nothing.
  const again = order.map((rule) => ({ ...rules[rule]!, domains: rules[rule]!.domains.map((domain) => 10 - domain) }));
  return { rules: again, numbers: [...rules.keys()].map((rule) => order.indexOf(rule)) };
}

function changeRow(random: Random, datasets: AssignedDatasets, row: number, rules: number): void {
  const lists = [datasets.bytes, datasets.objects, datasets.readBytes, datasets.requests, datasets.atStake, datasets.arrive, datasets.missing];
  const which = randomInt(random, 0, lists.length + 7);
  const near = datasets.nearFrom[row]!;
  const hasNear = datasets.nearFrom[row + 1]! > near;
  const special = datasets.specialsFrom[row]!;
  const hasSpecial = datasets.specialsFrom[row + 1]! > special;
  if (which < lists.length) lists[which]![row] = Math.ceil(lists[which]![row]! * (0.5 + random.next()));
  else if (which === lists.length) datasets.copies[row] = randomInt(random, 1, 4);
  else if (which === lists.length + 1) datasets.hasPrimary[row] = 1 - datasets.hasPrimary[row]!;
  else if (which === lists.length + 2) datasets.rule[row] = randomInt(random, 0, rules);
  else if (which === lists.length + 3 && hasNear) datasets.nearCredit[near] = 5 * random.next();
  else if (which === lists.length + 4 && hasNear) datasets.nearHome[near] = datasets.nearHome[near]! + 100;
  else if (hasSpecial && which === lists.length + 5) datasets.copyCredit[special] = 20 * random.next();
  else if (hasSpecial) datasets.stays[special] = 1 - datasets.stays[special]!;
}

function changedTargets(random: Random, targets: AssignedTargets): AssignedTargets {
  const draw = random.next();
  const some = (list: Float64Array, change: (one: number) => number): Float64Array => list.map((one) => (random.next() < 0.5 ? one : change(one)));
  if (draw < 0.3) return targets;
  if (draw < 0.6) return { ...targets, roomBytes: some(targets.roomBytes, (room) => Math.floor(2 * room * random.next())) };
  if (draw < 0.8) return { ...targets, readBytesLimit: some(targets.readBytesLimit, (limit) => (random.next() < 0.3 ? Infinity : Math.min(limit, 200 * random.next()))) };
  return { ...targets, holdPerByte: some(targets.holdPerByte, (dollars) => 2 * dollars * random.next()) };
}
