import { resources } from '../assignment.ts';
import { amountOf, type PreparedAssignment } from '../prepare-assignment.ts';

/** What all datasets take up where they are of each resource at each target, resource after resource. */
export function usedAt({ problem, width }: PreparedAssignment, places: Int16Array): Float64Array {
  const { copies, count } = problem.datasets;
  const targets = problem.targets.count;
  const used = new Float64Array(resources.length * targets);
  for (let row = 0; row < count; row++) {
    for (let slot = 0; slot < copies[row]!; slot++) {
      const column = places[row * width + slot]!;
      if (column === -1) continue;
      for (let resource = 0; resource < resources.length; resource++) used[resource * targets + column]! += amountOf(problem, row, slot, column, resource);
    }
  }
  return used;
}
