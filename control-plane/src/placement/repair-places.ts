import { resources } from './assignment.ts';
import { everyRow } from './every-row.ts';
import { amountOf, costAt, isPrimary, type PreparedAssignment, paidAt, specialAt } from './prepare-assignment.ts';

/** A placement that is being worked on: which column each copy is in, and what that takes up of each resource at each target. */
export interface Placing {
  readonly prepared: PreparedAssignment;
  /** `width` entries a dataset; −1 for none. */
  readonly places: Int16Array;
  readonly used: Float64Array;
}

/** The prices by which detours are judged, and the rows that are looked at first: some, evenly drawn, where all would take long. */
export interface Repair {
  readonly placing: Placing;
  readonly prices: Float64Array;
  readonly some: Int32Array;
  readonly isOver: () => boolean;
}

const missing = -1;

/** The first resource that repair looks at: bytes, or what only primaries take up. */
type From = 0 | 1;

/**
 * Take copies out of targets that are too full, those first that lose least for what they take up by prices, to the next best place with room. First among
 * some of the rows, then among all, and at last copies are left out: so in the end no target holds or serves more than it can, also without time.
 *
 * What primaries are read with is made to fit before bytes are: few can be elsewhere, and room for them can be made by any copy that is not read.
 */
export function makeFit({ placing, prices, some, isOver }: Repair): void {
  const { datasets } = placing.prepared.problem;
  const all = everyRow(datasets.count);
  const steps: [Int32Array, From, boolean][] = [
    [some, 1, false],
    [all, 1, false],
    [some, 0, false],
    [all, 0, false],
    [all, 0, true],
  ];
  for (const [rows, from, mayLeaveOut] of steps) {
    // A detour never makes another target too full, so each is looked at once: it fits then, or is stuck with what these rows can do.
    const stuck = new Set<number>();
    let copies: readonly number[][] | null = null;
    for (let at = fullest(placing, from, stuck); at !== -1 && (mayLeaveOut || !isOver()); at = fullest(placing, from, stuck)) {
      copies ??= copiesWhereTooFull(placing, rows, from);
      evict(placing, prices, copies[at % placing.prepared.problem.targets.count]!, at, from, mayLeaveOut);
      if (isTooFull(placing, at)) stuck.add(at);
    }
  }
}

/** By column, the copies of these rows that are there, as row · width + slot; of columns that fit, none. */
function copiesWhereTooFull(placing: Placing, rows: Int32Array, from: From): number[][] {
  const { problem, width } = placing.prepared;
  const { count } = problem.targets;
  const found = Array.from({ length: count }, (): number[] => []);
  const isToFind = new Uint8Array(count);
  for (let at = from * count; at < placing.used.length; at++) if (isTooFull(placing, at)) isToFind[at % count] = 1;
  for (const row of rows) {
    for (let copy = row * width; copy < row * width + problem.datasets.copies[row]!; copy++) {
      const column = placing.places[copy]!;
      if (column !== missing && isToFind[column] === 1) found[column]!.push(copy);
    }
  }
  return found;
}

/** Whether that copy may be in the column as far as rule, specials and domains say; room is another question. */
export function mayBeAt({ prepared, places }: Placing, row: number, slot: number, column: number): boolean {
  const { width, domainOf, servesAt, problem } = prepared;
  const at = problem.datasets.rule[row]! * problem.targets.count;
  const domain = domainOf[at + column]!;
  if (domain === -1 || (isPrimary(problem, row, slot) && servesAt[at + column] === 0)) return false;
  for (let other = 0; other < problem.datasets.copies[row]!; other++) {
    const place = places[row * width + other]!;
    if (other !== slot && place !== missing && domainOf[at + place] === domain) return false;
  }
  return true;
}

/** Whether a copy has all that it takes up left in a column where it is not yet. */
export function hasRoom({ prepared, used }: Placing, row: number, slot: number, column: number): boolean {
  const { problem, limits } = prepared;
  const { count } = problem.targets;
  if (used[column]! + problem.datasets.bytes[row]! > limits[column]! && specialAt(problem, row, column) === -1) return false;
  for (let resource = 0; resource < resources.length; resource++) {
    const amount = amountOf(problem, row, slot, column, resource);
    if (amount > 0 && used[resource * count + column]! + amount > limits[resource * count + column]!) return false;
  }
  return true;
}

export function put({ prepared, places, used }: Placing, row: number, slot: number, column: number): void {
  const { problem, width } = prepared;
  const at = row * width + slot;
  for (let resource = 0; resource < resources.length; resource++) {
    const offset = resource * problem.targets.count;
    if (places[at] !== missing) used[offset + places[at]!]! -= amountOf(problem, row, slot, places[at]!, resource);
    if (column !== missing) used[offset + column]! += amountOf(problem, row, slot, column, resource);
  }
  places[at] = column;
}

/** Columns of a rule as a stretch of `members`. */
export function membersOf({ problem, ruleGroups, groupMembers }: PreparedAssignment, row: number): readonly [number, number] {
  const rule = problem.datasets.rule[row]!;
  return [groupMembers[ruleGroups[rule]!]!, groupMembers[ruleGroups[rule + 1]!]!];
}

function isTooFull({ prepared, used }: Placing, at: number): boolean {
  return used[at]! > prepared.limits[at]!;
}

/** The resource of a target that is furthest above its limit, by its share; its place among the limits. */
function fullest(placing: Placing, from: From, but: ReadonlySet<number>): number {
  const { limits, problem } = placing.prepared;
  let found = -1;
  let most = 0;
  for (let at = from * problem.targets.count; at < limits.length; at++) {
    const excess = placing.used[at]! - limits[at]!;
    if (!(excess > 0) || but.has(at)) continue;
    const share = excess / Math.max(1, limits[at]!);
    if (share > most) [found, most] = [at, share];
  }
  return found;
}

/** @param copies that were in its column when it was looked for what is too full */
function evict(placing: Placing, prices: Float64Array, copies: readonly number[], at: number, from: From, mayLeaveOut: boolean): void {
  const { problem, width } = placing.prepared;
  const column = at % problem.targets.count;
  const resource = Math.floor(at / problem.targets.count);
  const regrets: number[] = [];
  const movable: number[] = [];
  for (const copy of copies) {
    if (placing.places[copy] !== column) continue;
    const [row, slot] = [Math.floor(copy / width), copy % width];
    const amount = amountOf(problem, row, slot, column, resource);
    if (amount <= 0) continue;
    const to = detour(placing, prices, row, slot, from, mayLeaveOut);
    if (!to.found) continue;
    regrets.push((to.cost - costHere(placing, prices, row, slot)) / amount);
    movable.push(copy);
  }
  for (const one of orderOf(regrets)) {
    if (!isTooFull(placing, at)) return;
    const [row, slot] = [Math.floor(movable[one]! / width), movable[one]! % width];
    const to = detour(placing, prices, row, slot, from, mayLeaveOut);
    if (to.found) put(placing, row, slot, to.column);
  }
}

/** The cheapest other place for a copy with room for it, prices included; where it may be left out, that is one. */
export function detour(
  placing: Placing,
  prices: Float64Array,
  row: number,
  slot: number,
  from: From = 0,
  mayLeaveOut = false,
): { found: boolean; column: number; cost: number } {
  const { prepared, places, used } = placing;
  const { problem, limits } = prepared;
  const { datasets, targets } = problem;
  const asPrimary = isPrimary(problem, row, slot);
  const present = places[row * prepared.width + slot]!;
  const read = asPrimary ? datasets.readBytes[row]! : 0;
  const asked = asPrimary ? datasets.requests[row]! : 0;
  const bytes = from === 0 ? datasets.bytes[row]! : 0;
  let column = missing;
  let cheapest = mayLeaveOut ? datasets.missing[row]! : Infinity;
  const [first, end] = membersOf(prepared, row);
  for (let member = first; member < end; member++) {
    const other = prepared.members[member]!;
    // Most targets are full: that is asked first.
    const atRead = targets.count + other;
    const atAsked = targets.count + atRead;
    if (read > 0 && used[atRead]! + read > limits[atRead]!) continue;
    if (asked > 0 && used[atAsked]! + asked > limits[atAsked]!) continue;
    if (bytes > 0 && used[other]! + bytes > limits[other]! && amountOf(problem, row, slot, other, 0) > 0) continue;
    if (other === present) continue;
    const cost = costAt(prepared, row, slot, other) + paidAt(prepared, prices, row, slot, other);
    if (cost < cheapest && mayBeAt(placing, row, slot, other)) [column, cheapest] = [other, cost];
  }
  return { found: column !== missing || mayLeaveOut, column, cost: cheapest };
}

/** What a copy costs where it is, prices included. */
export function costHere({ prepared, places }: Placing, prices: Float64Array, row: number, slot: number): number {
  const here = places[row * prepared.width + slot]!;
  return costAt(prepared, row, slot, here) + paidAt(prepared, prices, row, slot, here);
}

/** Places of a list from its least number to its greatest. */
export function orderOf(numbers: ArrayLike<number>): Int32Array {
  return everyRow(numbers.length).sort((a, b) => numbers[a]! - numbers[b]! || a - b);
}
