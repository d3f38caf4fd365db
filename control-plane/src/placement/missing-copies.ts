import type { MissingBecause, MissingCopies } from './assignment.ts';
import { amountOf, type PreparedAssignment } from './prepare-assignment.ts';
import { membersOf, type Placing } from './repair-places.ts';

/** The copies that are left out, by dataset, with what stands in their way. */
export function missingCopies({ prepared, places }: Pick<Placing, 'prepared' | 'places'>): MissingCopies[] {
  const { datasets } = prepared.problem;
  const found: MissingCopies[] = [];
  for (let row = 0; row < datasets.count; row++) {
    let copies = 0;
    for (let slot = 0; slot < datasets.copies[row]!; slot++) if (places[row * prepared.width + slot] === -1) copies++;
    if (copies > 0) found.push({ row, copies, because: missingBecause(prepared, row) });
  }
  return found;
}

function missingBecause(prepared: PreparedAssignment, row: number): MissingBecause {
  const { problem, members, domainOf } = prepared;
  const { datasets, targets } = problem;
  const [from, end] = membersOf(prepared, row);
  if (from === end) return 'no allowed target';
  const domains = new Set<number>();
  for (let member = from; member < end; member++) {
    const column = members[member]!;
    if (amountOf(problem, row, 0, column, 0) <= targets.roomBytes[column]!) domains.add(domainOf[datasets.rule[row]! * targets.count + column]!);
  }
  if (domains.size === 0) return 'larger than every allowed target';
  return domains.size < datasets.copies[row]! ? 'too few failure domains' : 'capacity';
}
