import { resources } from './assignment.ts';
import { CompensatedSum } from './compensated-sum.ts';
import { amountOf, costAt, isPrimary, type PreparedAssignment } from './prepare-assignment.ts';

/** What all datasets cost where they are: dollars a month, without what room is worth. */
export function dollarsAt(prepared: PreparedAssignment, places: Int16Array): number {
  const { copies, count } = prepared.problem.datasets;
  const dollars = new CompensatedSum();
  for (let row = 0; row < count; row++) {
    for (let slot = 0; slot < copies[row]!; slot++) dollars.add(costAt(prepared, row, slot, places[row * prepared.width + slot]!));
  }
  return dollars.total;
}

/** What they take up there of each resource at each target, resource after resource. */
export function usedAt({ problem, width }: PreparedAssignment, places: Int16Array): Float64Array {
  const { copies, count, bytes, readBytes, requests, specialsFrom } = problem.datasets;
  const targets = problem.targets.count;
  const used = new Float64Array(resources.length * targets);
  for (let row = 0; row < count; row++) {
    const hasSpecials = specialsFrom[row + 1]! > specialsFrom[row]!;
    for (let slot = 0; slot < copies[row]!; slot++) {
      const column = places[row * width + slot]!;
      if (column === -1) continue;
      used[column]! += hasSpecials ? amountOf(problem, row, slot, column, 0) : bytes[row]!;
      if (!isPrimary(problem, row, slot)) continue;
      used[targets + column]! += readBytes[row]!;
      used[2 * targets + column]! += requests[row]!;
    }
  }
  return used;
}
