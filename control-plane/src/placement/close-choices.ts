import type { PreparedAssignment } from './price-pass.ts';
import { costAt, missingCost } from './repair-places.ts';

/**
 * What some datasets could still choose while prices stay within a radius: of most, two or three places out of fifty. Their costs are written out,
 * so that one look at all of them is a walk along three lists. Row r has the groups rowGroups[r] to rowGroups[r + 1], one a domain, and group g the
 * choices groupChoices[g] to groupChoices[g + 1].
 */
export interface CloseChoices {
  readonly rowGroups: Int32Array;
  readonly groupChoices: Int32Array;
  readonly columns: Int16Array;
  /** Dollars without prices, beside `columns`. */
  readonly costs: Float64Array;
  readonly bytes: Float64Array;
  readonly copies: Uint8Array;
  /** What a copy that is left out costs. */
  readonly missing: Float64Array;
  readonly mostCopies: number;
}

/**
 * The choices of these datasets that can be best for any prices within `radius` of `prices`: a move of each price by so much changes the difference of
 * two places by twice that for each byte, so what is further from its domain's best, or from the last place that is taken, can not be.
 *
 * @param weights for how many like it each row stands; null for itself only
 */
export function closeChoices(prepared: PreparedAssignment, prices: Float64Array, rows: Int32Array, weights: Float64Array | null, radius: number): CloseChoices {
  const { problem, rule, ruleGroups, groupMembers, members } = prepared;
  const { datasets, targets } = problem;
  const rowGroups = new Int32Array(rows.length + 1);
  const groupChoices = new GrowingList(Int32Array);
  const columns = new GrowingList(Int16Array);
  const costs = new GrowingList(Float64Array);
  const own = new Float64Array(targets.count);
  groupChoices.push(0);
  for (const [at, row] of rows.entries()) {
    const size = datasets.bytes[row]!;
    const weight = weights?.[at] ?? 1;
    const reach = 2 * radius * size * (1 + 1e-9);
    const from = ruleGroups[rule[row]!]!;
    const end = ruleGroups[rule[row]! + 1]!;
    const best = new Float64Array(end - from).fill(Infinity);
    for (let group = from; group < end; group++) {
      for (let member = groupMembers[group]!; member < groupMembers[group + 1]!; member++) {
        const column = members[member]!;
        own[column] = costAt(prepared, row, column);
        best[group - from] = Math.min(best[group - from]!, own[column]! + size * prices[column]!);
      }
    }
    const lastTaken = Math.min(Float64Array.from(best).sort()[datasets.copies[row]! - 1] ?? Infinity, missingCost(prepared, row));
    for (let group = from; group < end; group++) {
      const limit = Math.min(best[group - from]!, lastTaken) + reach;
      if (best[group - from]! > limit) continue;
      for (let member = groupMembers[group]!; member < groupMembers[group + 1]!; member++) {
        const column = members[member]!;
        if (own[column]! + size * prices[column]! > limit) continue;
        columns.push(column);
        costs.push(weight * own[column]!);
      }
      groupChoices.push(columns.length);
    }
    rowGroups[at + 1] = groupChoices.length - 1;
  }
  return {
    rowGroups,
    groupChoices: groupChoices.whole(),
    columns: columns.whole(),
    costs: costs.whole(),
    bytes: Float64Array.from(rows, (row, at) => (weights?.[at] ?? 1) * datasets.bytes[row]!),
    copies: Uint8Array.from(rows, (row) => datasets.copies[row]!),
    missing: Float64Array.from(rows, (row, at) => (weights?.[at] ?? 1) * missingCost(prepared, row)),
    mostCopies: prepared.width,
  };
}

/** Each dataset at its best of these choices. @returns the sum of what that costs, prices included; `loadBytes` is filled with where they go */
export function priceChoices(choices: CloseChoices, prices: Float64Array, loadBytes: Float64Array): number {
  const { rowGroups, groupChoices, columns, costs, bytes, copies, missing, mostCopies } = choices;
  const bestCost = new Float64Array(mostCopies + 1);
  const bestColumn = new Int32Array(mostCopies + 1);
  loadBytes.fill(0);
  let sum = 0;
  let lost = 0;
  let choice = 0;
  for (let row = 0; row < bytes.length; row++) {
    const size = bytes[row]!;
    const wanted = copies[row]!;
    const leftOut = missing[row]!;
    let taken = 0;
    const end = rowGroups[row + 1]!;
    for (let group = rowGroups[row]!; group < end; group++) {
      let cheapest = leftOut;
      let column = -1;
      for (const groupEnd = groupChoices[group + 1]!; choice < groupEnd; choice++) {
        const cost = costs[choice]! + size * prices[columns[choice]!]!;
        if (cost < cheapest) {
          cheapest = cost;
          column = columns[choice]!;
        }
      }
      if (column === -1 || (taken === wanted && cheapest >= bestCost[wanted - 1]!)) continue;
      let to = taken < wanted ? taken++ : wanted - 1;
      while (to > 0 && bestCost[to - 1]! > cheapest) {
        bestCost[to] = bestCost[to - 1]!;
        bestColumn[to] = bestColumn[to - 1]!;
        to--;
      }
      bestCost[to] = cheapest;
      bestColumn[to] = column;
    }
    let cost = leftOut * (wanted - taken);
    for (let one = 0; one < taken; one++) {
      loadBytes[bestColumn[one]!]! += size;
      cost += bestCost[one]!;
    }
    // Compensated: a million small amounts would lose as much as the gap that is certified.
    const next = cost - lost;
    const total = sum + next;
    lost = total - sum - next;
    sum = total;
  }
  return sum;
}

type Numbers = Int32Array | Int16Array | Float64Array;

/** A typed array that doubles when it is full: lists of numbers in objects would take four times the memory. */
class GrowingList<T extends Numbers> {
  length = 0;
  #numbers: T;
  readonly #make: new (
    length: number,
  ) => T;

  constructor(make: new (length: number) => T) {
    this.#make = make;
    this.#numbers = new make(1024);
  }

  push(number: number): void {
    if (this.length === this.#numbers.length) {
      const longer = new this.#make(2 * this.length);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    this.#numbers[this.length++] = number;
  }

  whole(): T {
    return this.#numbers.subarray(0, this.length) as T;
  }
}
