import { CompensatedSum } from './compensated-sum.ts';
import { costAt } from './prepare-assignment.ts';
import type { Placing } from './repair-places.ts';

/** How much more all cost where they are than where they want to be, dollars a month: most are there. */
export function dollarsOfDetours({ prepared, places }: Placing, wishes: Int16Array): number {
  const { copies, count } = prepared.problem.datasets;
  const { width } = prepared;
  const dollars = new CompensatedSum();
  for (let row = 0; row < count; row++) {
    for (let slot = 0; slot < copies[row]!; slot++) {
      const at = row * width + slot;
      if (places[at] !== wishes[at]) dollars.add(costAt(prepared, row, slot, places[at]!) - costAt(prepared, row, slot, wishes[at]!));
    }
  }
  return dollars.total;
}
