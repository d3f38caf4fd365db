import { costAt, mayBeAt, membersOf, orderOf, type Placing, put, type Repair } from './repair-places.ts';

/** Rounds of filling and moving; the third rarely finds anything. */
const rounds = 4;

/**
 * Make a placement that fits cheaper, and keep it fitting: a target whose room has a price draws in what gains by it, those that lose least per byte by
 * prices first; then each copy goes where it is cheapest with room, also those that were left out.
 */
export function improve({ placing, prices, close, isOver }: Repair): void {
  const { targets } = placing.prepared.problem;
  for (let round = 0; round < rounds && !isOver(); round++) {
    const priced = [...prices.keys()].filter((column) => prices[column]! > 0 && room(placing, column) > 0);
    priced.sort((a, b) => prices[b]! * room(placing, b) - prices[a]! * room(placing, a));
    let moved = 0;
    for (const column of priced) moved += drawIn(placing, prices, close, column);
    moved += moveEach(placing, close);
    if (moved === 0) return;
  }

  function room(one: Placing, column: number): number {
    return targets.capacityBytes[column]! - one.loadBytes[column]!;
  }
}

function drawIn(placing: Placing, prices: Float64Array, rows: Int32Array, column: number): number {
  const { prepared, places, loadBytes } = placing;
  const { datasets, targets } = prepared.problem;
  const free = targets.capacityBytes[column]! - loadBytes[column]!;
  const regrets: number[] = [];
  const copies: number[] = [];
  for (const row of rows) {
    const bytes = datasets.bytes[row]!;
    if (bytes > free || bytes <= 0 || prepared.domainOf[prepared.rule[row]! * targets.count + column] === -1) continue;
    const there = costAt(prepared, row, column);
    for (let slot = 0; slot < datasets.copies[row]!; slot++) {
      const place = places[row * prepared.width + slot]!;
      if (place === column) break;
      const here = costAt(prepared, row, place);
      if (here <= there || !mayBeAt(placing, row, slot, column)) continue;
      const regret = (there + prices[column]! * bytes - here - (place === -1 ? 0 : prices[place]! * bytes)) / bytes;
      if (regret >= prices[column]!) continue;
      regrets.push(regret);
      copies.push(row * prepared.width + slot);
    }
  }
  let moved = 0;
  for (const at of orderOf(regrets)) {
    const row = Math.floor(copies[at]! / prepared.width);
    const slot = copies[at]! % prepared.width;
    // Another copy of it may have come meanwhile.
    if (loadBytes[column]! + datasets.bytes[row]! > targets.capacityBytes[column]! || !mayBeAt(placing, row, slot, column)) continue;
    put(placing, row, slot, column);
    moved++;
  }
  return moved;
}

/** Each copy to the cheapest place with room, one after the other. */
function moveEach(placing: Placing, rows: Int32Array): number {
  const { prepared, places, loadBytes } = placing;
  const { datasets, targets } = prepared.problem;
  let moved = 0;
  for (const row of rows) {
    const bytes = datasets.bytes[row]!;
    const [from, end] = membersOf(prepared, row);
    for (let slot = 0; slot < datasets.copies[row]!; slot++) {
      const place = places[row * prepared.width + slot]!;
      const here = costAt(prepared, row, place);
      let cheapest = here - 1e-12 * Math.abs(here);
      let best = place;
      for (let member = from; member < end; member++) {
        const column = prepared.members[member]!;
        if (column === place || loadBytes[column]! + bytes > targets.capacityBytes[column]!) continue;
        const cost = costAt(prepared, row, column);
        if (cost < cheapest && mayBeAt(placing, row, slot, column)) [best, cheapest] = [column, cost];
      }
      if (best === place) continue;
      put(placing, row, slot, best);
      moved++;
    }
  }
  return moved;
}
