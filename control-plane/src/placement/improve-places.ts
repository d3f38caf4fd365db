import { amountOf, costAt, isPrimary, paidAt } from './prepare-assignment.ts';
import { hasRoom, mayBeAt, membersOf, orderOf, type Placing, put, type Repair } from './repair-places.ts';
import { RowCosts } from './row-costs.ts';

/** Rounds of filling and moving; one is the last that moves fewer than that share of the rows (an eighth of it: another round for nothing). */
const rounds = 4;
const worthAnother = 0.04;

/**
 * Make a placement that fits cheaper, and keep it fitting: a target whose room has a price draws in what gains by it, those that lose least per byte by
 * prices first; then each copy goes where it is cheapest with room, also those that were left out.
 */
export function improve({ placing, prices, some, isOver }: Repair): void {
  const { targets } = placing.prepared.problem;
  const room = (column: number): number => targets.roomBytes[column]! - placing.used[column]!;
  for (let round = 0; round < rounds && !isOver(); round++) {
    const priced = [...Array(targets.count).keys()].filter((column) => prices[column]! > 0 && room(column) > 0);
    priced.sort((a, b) => prices[b]! * room(b) - prices[a]! * room(a));
    let moved = 0;
    for (const column of priced) moved += drawIn(placing, prices, some, column);
    moved += moveEach(placing, some);
    if (moved <= worthAnother * some.length) return;
  }
}

function drawIn(placing: Placing, prices: Float64Array, rows: Int32Array, column: number): number {
  const { prepared, places } = placing;
  const { problem } = prepared;
  const { datasets } = problem;
  const regrets: number[] = [];
  const copies: number[] = [];
  const room = prepared.limits[column]! - placing.used[column]!;
  for (const row of rows) {
    const bytes = datasets.bytes[row]!;
    if (bytes <= 0 || bytes > room || prepared.domainOf[datasets.rule[row]! * problem.targets.count + column] === -1) continue;
    for (let slot = 0; slot < datasets.copies[row]!; slot++) {
      const place = places[row * prepared.width + slot]!;
      if (place === column) break;
      const there = costAt(prepared, row, slot, column);
      const here = costAt(prepared, row, slot, place);
      if (here <= there || !hasRoom(placing, row, slot, column) || !mayBeAt(placing, row, slot, column)) continue;
      const regret = (there + paidAt(prepared, prices, row, slot, column) - here - paidAt(prepared, prices, row, slot, place)) / bytes;
      if (regret >= prices[column]! || amountOf(problem, row, slot, column, 0) === 0) continue;
      regrets.push(regret);
      copies.push(row * prepared.width + slot);
    }
  }
  let moved = 0;
  for (const at of orderOf(regrets)) {
    const row = Math.floor(copies[at]! / prepared.width);
    const slot = copies[at]! % prepared.width;
    // Another copy of it may have come meanwhile.
    if (!hasRoom(placing, row, slot, column) || !mayBeAt(placing, row, slot, column)) continue;
    put(placing, row, slot, column);
    moved++;
  }
  return moved;
}

/** Each copy to the cheapest place with room, one after the other. */
function moveEach(placing: Placing, rows: Int32Array): number {
  const { prepared, places } = placing;
  const { datasets } = prepared.problem;
  const costs = new RowCosts(prepared, new Float64Array(prepared.limits.length));
  let moved = 0;
  for (const row of rows) {
    const [from, end] = membersOf(prepared, row);
    costs.fill(row);
    for (let slot = 0; slot < datasets.copies[row]!; slot++) {
      const place = places[row * prepared.width + slot]!;
      const own = isPrimary(prepared.problem, row, slot) ? costs.primary : costs.copy;
      const here = costAt(prepared, row, slot, place);
      let cheapest = here - 1e-12 * Math.abs(here);
      let best = place;
      for (let member = from; member < end; member++) {
        const column = prepared.members[member]!;
        const cost = own[column]!;
        if (!(cost < cheapest) || column === place || !hasRoom(placing, row, slot, column) || !mayBeAt(placing, row, slot, column)) continue;
        best = column;
        cheapest = cost;
      }
      if (best === place) continue;
      put(placing, row, slot, best);
      moved++;
    }
  }
  return moved;
}
