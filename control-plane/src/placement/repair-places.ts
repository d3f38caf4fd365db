import type { PreparedAssignment } from './price-pass.ts';

/** A placement that is being worked on: which column each copy is in, and how full that makes the columns. */
export interface Placing {
  readonly prepared: PreparedAssignment;
  /** `width` entries a dataset; −1 for none. */
  readonly places: Int16Array;
  readonly loadBytes: Float64Array;
}

/** The prices by which detours are judged, and the rows that are worth a look: those whose choice is close. */
export interface Repair {
  readonly placing: Placing;
  readonly prices: Float64Array;
  readonly close: Int32Array;
  readonly isOver: () => boolean;
}

const missing = -1;
/**
 * Take copies out of targets that are too full, those first that lose least per byte by prices, to the next best place with room. First among the rows
 * whose choice is close, then among all, and at last copies are left out: so in the end no target holds more than its capacity, also without time.
 */
export function makeFit({ placing, prices, close, isOver }: Repair): void {
  const { datasets } = placing.prepared.problem;
  const all = Int32Array.from({ length: datasets.count }, (_, row) => row);
  for (const [rows, mayLeaveOut] of [[close, false] as const, [all, false] as const, [all, true] as const]) {
    // A detour never makes another target too full, so each is looked at once: it fits then, or is stuck with what these rows can do.
    const stuck = new Set<number>();
    for (let column = fullest(placing, stuck); column !== -1 && (mayLeaveOut || !isOver()); column = fullest(placing, stuck)) {
      evict(placing, prices, rows, column, mayLeaveOut);
      if (isTooFull(placing, column)) stuck.add(column);
    }
    if (fullest(placing, new Set()) === -1) return;
  }
}

export function costAt({ problem }: PreparedAssignment, row: number, column: number): number {
  const { bytes, readBytes, requests, held, stayCredit, heldWidth } = problem.datasets;
  const { holdPerByte, arrivePerByte, readPerByte, perRequest } = problem.targets;
  if (column === missing) return missingCost({ problem }, row);
  let cost = bytes[row]! * (holdPerByte[column]! + arrivePerByte[column]!) + readBytes[row]! * readPerByte[column]! + requests[row]! * perRequest[column]!;
  for (let one = row * heldWidth; one < (row + 1) * heldWidth; one++) if (held[one] === column) cost -= stayCredit[one]!;
  return cost;
}

export function missingCost({ problem }: Pick<PreparedAssignment, 'problem'>, row: number): number {
  return problem.missingPerCopy + problem.datasets.bytes[row]! * problem.missingPerByte;
}

/** Whether that copy may be in the column as far as rule and domains say; room is another question. */
export function mayBeAt({ prepared, places }: Placing, row: number, slot: number, column: number): boolean {
  const { width, rule, domainOf, problem } = prepared;
  const ownDomains = rule[row]! * problem.targets.count;
  const domain = domainOf[ownDomains + column]!;
  if (domain === -1) return false;
  for (let other = 0; other < problem.datasets.copies[row]!; other++) {
    const place = places[row * width + other]!;
    if (other !== slot && place !== missing && domainOf[ownDomains + place] === domain) return false;
  }
  return true;
}

export function put({ prepared, places, loadBytes }: Placing, row: number, slot: number, column: number): void {
  const at = row * prepared.width + slot;
  const bytes = prepared.problem.datasets.bytes[row]!;
  if (places[at] !== missing) loadBytes[places[at]!]! -= bytes;
  if (column !== missing) loadBytes[column]! += bytes;
  places[at] = column;
}

/** Columns of a rule as a stretch of `members`. */
export function membersOf({ rule, ruleGroups, groupMembers }: PreparedAssignment, row: number): readonly [number, number] {
  return [groupMembers[ruleGroups[rule[row]!]!]!, groupMembers[ruleGroups[rule[row]! + 1]!]!];
}

function isTooFull({ prepared, loadBytes }: Placing, column: number): boolean {
  return loadBytes[column]! > prepared.problem.targets.capacityBytes[column]!;
}

/** The target that is furthest above its capacity, by its share. */
function fullest(placing: Placing, but: ReadonlySet<number>): number {
  const { capacityBytes, count } = placing.prepared.problem.targets;
  let found = -1;
  let most = 0;
  for (let column = 0; column < count; column++) {
    const excess = placing.loadBytes[column]! - capacityBytes[column]!;
    if (excess <= 0 || but.has(column)) continue;
    const share = excess / Math.max(1, capacityBytes[column]!);
    if (share > most) [found, most] = [column, share];
  }
  return found;
}

function evict(placing: Placing, prices: Float64Array, rows: Int32Array, column: number, mayLeaveOut: boolean): void {
  const { prepared, places, loadBytes } = placing;
  const { datasets, targets } = prepared.problem;
  const regrets: number[] = [];
  const copies: number[] = [];
  for (const row of rows) {
    for (let slot = 0; slot < datasets.copies[row]!; slot++) {
      if (places[row * prepared.width + slot] !== column) continue;
      const to = detour(placing, prices, row, slot, mayLeaveOut);
      const bytes = datasets.bytes[row]!;
      if (to.found && bytes > 0) {
        regrets.push((to.cost - costAt(prepared, row, column) - prices[column]! * bytes) / bytes);
        copies.push(row * prepared.width + slot);
      }
    }
  }
  for (const at of orderOf(regrets)) {
    if (loadBytes[column]! <= targets.capacityBytes[column]!) return;
    const row = Math.floor(copies[at]! / prepared.width);
    const slot = copies[at]! % prepared.width;
    const to = detour(placing, prices, row, slot, mayLeaveOut);
    if (to.found) put(placing, row, slot, to.column);
  }
}

/** The cheapest other place for a copy with room for it, prices included. */
function detour(placing: Placing, prices: Float64Array, row: number, slot: number, mayLeaveOut: boolean): { found: boolean; column: number; cost: number } {
  const { prepared, places, loadBytes } = placing;
  const { datasets, targets } = prepared.problem;
  const bytes = datasets.bytes[row]!;
  const present = places[row * prepared.width + slot]!;
  let column = missing;
  let cheapest = mayLeaveOut ? missingCost(prepared, row) : Infinity;
  const [from, end] = membersOf(prepared, row);
  for (let member = from; member < end; member++) {
    const other = prepared.members[member]!;
    if (other === present || loadBytes[other]! + bytes > targets.capacityBytes[other]!) continue;
    const cost = costAt(prepared, row, other) + prices[other]! * bytes;
    if (cost < cheapest && mayBeAt(placing, row, slot, other)) [column, cheapest] = [other, cost];
  }
  return { found: column !== missing || mayLeaveOut, column, cost: cheapest };
}

/** Places of a list from its least number to its greatest. */
export function orderOf(numbers: readonly number[]): Uint32Array {
  return Uint32Array.from(numbers.keys()).sort((a, b) => numbers[a]! - numbers[b]! || a - b);
}
