import { resources } from './assignment.ts';
import { amountOf, costAt, type PreparedAssignment } from './prepare-assignment.ts';

/** What some datasets come to where they are. */
export interface Tally {
  /** Dollars a month, without what room is worth. */
  readonly dollars: number;
  /** What they take up of each resource at each target, resource after resource. */
  readonly used: Float64Array;
}

/** Added up anew from the places, compensated: a million small amounts would lose as much as the gap that is certified. */
export function tally(prepared: PreparedAssignment, places: Int16Array): Tally {
  const { problem, width } = prepared;
  const { datasets, targets } = problem;
  const used = new Float64Array(resources.length * targets.count);
  let dollars = 0;
  let lost = 0;
  for (let row = 0; row < datasets.count; row++) {
    for (let slot = 0; slot < datasets.copies[row]!; slot++) {
      const column = places[row * width + slot]!;
      const cost = costAt(prepared, row, slot, column);
      const next = cost - lost;
      const total = dollars + next;
      lost = total - dollars - next;
      dollars = total;
      if (column === -1) continue;
      used[column]! += amountOf(problem, row, slot, column, 0);
      if (slot > 0 || datasets.hasPrimary[row] === 0) continue;
      used[targets.count + column]! += datasets.readBytes[row]!;
      used[2 * targets.count + column]! += datasets.requests[row]!;
    }
  }
  return { dollars, used };
}
