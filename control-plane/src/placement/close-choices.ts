import { DomainBests } from './domain-bests.ts';
import { type PreparedAssignment, reachOf, specialAt, whim } from './prepare-assignment.ts';

/**
 * What some datasets could still choose while prices stay within a radius: of most, two or three places out of fifty. Their costs are written out,
 * so that one look at all of them is a walk along three lists. Row r has the groups rowGroups[r] to rowGroups[r + 1], one a domain, and group g the
 * choices groupChoices[g] to groupChoices[g + 1].
 */
export interface CloseChoices {
  readonly rowGroups: Int32Array;
  readonly groupChoices: Int32Array;
  readonly columns: Int16Array;
  /** Dollars of a copy and of the primary without prices, beside `columns`; Infinity where it may not be. */
  readonly copyCosts: Float64Array;
  readonly primaryCosts: Float64Array;
  /** Bytes of room that coming there takes. */
  readonly takes: Float64Array;
  readonly readBytes: Float64Array;
  readonly requests: Float64Array;
  readonly copies: Uint8Array;
  readonly hasPrimary: Uint8Array;
  /** What a copy that is left out costs. */
  readonly missing: Float64Array;
  readonly mostCopies: number;
  readonly mostGroups: number;
}

/**
 * The choices of these datasets that can be best for any prices within `radius` of `prices`: a move of each price by so much changes the difference of
 * two answers by twice that for each copy that is elsewhere, so what is further from the best can not be.
 *
 * @param givenWeights for how many like it each row stands; null for itself only
 * @param radius a share of the usual cost of each resource
 * @param whims as in `pricePass`
 */
export function closeChoices(
  prepared: PreparedAssignment,
  prices: Float64Array,
  given: Int32Array,
  givenWeights: Float64Array | null,
  radius: number,
  whims: number,
): CloseChoices {
  const order = inParts(given.length);
  const rows = Int32Array.from(order, (at) => given[at]!);
  const weights = givenWeights === null ? null : Float64Array.from(order, (at) => givenWeights[at]!);
  const { problem, ruleGroups, groupMembers, members } = prepared;
  const { datasets } = problem;
  const bests = new DomainBests(prepared.mostGroups, prepared.width);
  const costs = new MemberCosts(prepared, prices, whims);
  const lists = new ChoiceLists(rows.length);
  for (const [at, row] of rows.entries()) {
    const weight = weights?.[at] ?? 1;
    const primaryToo = datasets.hasPrimary[row] === 1;
    const reach = radius === Infinity ? Infinity : 2 * radius * reachOf(prepared, row) * (1 + 1e-6);
    const from = ruleGroups[datasets.rule[row]!]!;
    const groups = ruleGroups[datasets.rule[row]! + 1]! - from;
    costs.fill(row);
    for (let group = 0; group < groups; group++) {
      bests.copyCost[group] = Infinity;
      bests.copySecond[group] = Infinity;
      bests.primaryCost[group] = Infinity;
      bests.primarySecond[group] = Infinity;
      for (let member = groupMembers[from + group]!; member < groupMembers[from + group + 1]!; member++) {
        const place = member - groupMembers[from]!;
        bests.copyCost[group] = Math.min(bests.copyCost[group]!, costs.paidCopy[place]!);
        bests.primaryCost[group] = Math.min(bests.primaryCost[group]!, costs.paidPrimary[place]!);
      }
    }
    bests.pick(groups, datasets.copies[row]!, primaryToo, datasets.missing[row]!);
    for (let group = 0; group < groups; group++) {
      const copyLimit = Math.min(bests.copyCost[group]!, bests.lastTaken) + reach;
      // By how much more the whole may cost with the primary there, less what it does at the domain's best.
      const primaryLimit = primaryToo ? datasets.copies[row]! * reach - bests.primaryExtra[group]! : -Infinity;
      for (let member = groupMembers[from + group]!; member < groupMembers[from + group + 1]!; member++) {
        const place = member - groupMembers[from]!;
        const asCopy = costs.paidCopy[place]! <= copyLimit && costs.paidCopy[place]! !== Infinity;
        const asPrimary = costs.paidPrimary[place]! <= primaryLimit && costs.paidPrimary[place]! !== Infinity;
        if (!asCopy && !asPrimary) continue;
        lists.add(
          members[member]!,
          asCopy ? weight * costs.copy[place]! : Infinity,
          asPrimary ? weight * costs.primary[place]! : Infinity,
          weight * costs.takes[place]!,
        );
      }
      lists.endGroup();
    }
    lists.endRow(at);
  }
  const weighted = (of: Float64Array): Float64Array => Float64Array.from(rows, (row, at) => (weights?.[at] ?? 1) * of[row]!);
  return {
    ...lists.whole(),
    readBytes: weighted(datasets.readBytes),
    requests: weighted(datasets.requests),
    copies: Uint8Array.from(rows, (row) => datasets.copies[row]!),
    hasPrimary: Uint8Array.from(rows, (row) => datasets.hasPrimary[row]!),
    missing: weighted(datasets.missing),
    mostCopies: prepared.width,
    mostGroups: prepared.mostGroups,
  };
}

/** So many parts follow each other, each of which is like all. */
export const parts = 8;

function inParts(count: number): Int32Array {
  const order = new Int32Array(count);
  let to = 0;
  for (let part = 0; part < parts; part++) for (let at = part; at < count; at += parts) order[to++] = at;
  return order;
}

/** What a row costs in each member of its rule, without and with prices; Infinity where it may not be. One is filled row after row. */
class MemberCosts {
  readonly copy: Float64Array;
  readonly primary: Float64Array;
  readonly paidCopy: Float64Array;
  readonly paidPrimary: Float64Array;
  readonly takes: Float64Array;
  readonly #prepared: PreparedAssignment;
  readonly #prices: Float64Array;
  readonly #whims: number;

  constructor(prepared: PreparedAssignment, prices: Float64Array, whims: number) {
    const most = prepared.problem.targets.count;
    const dollars = (): Float64Array => new Float64Array(most);
    [this.copy, this.primary, this.paidCopy, this.paidPrimary, this.takes] = [dollars(), dollars(), dollars(), dollars(), dollars()];
    this.#prepared = prepared;
    this.#prices = prices;
    this.#whims = whims;
  }

  fill(row: number): void {
    const { problem, ruleGroups, groupMembers, members, serves, usual } = this.#prepared;
    const { datasets, targets } = problem;
    const prices = this.#prices;
    const rule = datasets.rule[row]!;
    const from = groupMembers[ruleGroups[rule]!]!;
    const end = groupMembers[ruleGroups[rule + 1]!]!;
    const primaryToo = datasets.hasPrimary[row] === 1;
    const size = datasets.bytes[row]!;
    const objects = datasets.objects[row]!;
    const read = datasets.readBytes[row]!;
    const asked = datasets.requests[row]!;
    const arrives = datasets.arrive[row]!;
    const ofCopy = this.#whims * size * usual[0]!;
    const ofPrimary = this.#whims * reachOf(this.#prepared, row);
    const hasSpecials = datasets.specialsFrom[row + 1]! > datasets.specialsFrom[row]!;
    for (let member = from; member < end; member++) {
      const place = member - from;
      const column = members[member]!;
      const special = hasSpecials ? specialAt(problem, row, column) : -1;
      const takes = special !== -1 && datasets.stays[special] === 1 ? 0 : size;
      const fits = takes <= targets.roomBytes[column]!;
      const liking = whim(row, column);
      const base =
        Math.max(size, objects * targets.minimumObjectBytes[column]!) * targets.holdPerByte[column]! +
        datasets.atStake[row]! * targets.lost[column]! +
        size * targets.arrivePerByte[column]! +
        objects * targets.arrivePerObject[column]! +
        arrives;
      const room = takes * prices[column]!;
      this.takes[place] = takes;
      this.copy[place] = fits ? base - (special === -1 ? 0 : datasets.copyCredit[special]!) + ofCopy * liking : Infinity;
      this.paidCopy[place] = this.copy[place]! + room;
      this.primary[place] = Infinity;
      this.paidPrimary[place] = Infinity;
      if (!primaryToo || serves[member] === 0 || !fits || read > targets.readBytesLimit[column]! || asked > targets.requestsLimit[column]!) continue;
      const use = read * targets.readPerByte[column]! + asked * targets.perRequest[column]!;
      this.primary[place] = base + use - (special === -1 ? 0 : datasets.primaryCredit[special]!) + ofPrimary * liking;
      this.paidPrimary[place] = this.primary[place]! + room + read * prices[targets.count + column]! + asked * prices[2 * targets.count + column]!;
    }
  }
}

/**
 * Each dataset at its best of these choices.
 *
 * @param used filled with what they take up
 * @param rows from the first to before the second, as they were given; left out: all
 * @returns the sum of what that costs, prices included
 */
export function priceChoices(choices: CloseChoices, prices: Float64Array, used: Float64Array, rows?: readonly [number, number]): number {
  const { rowGroups, groupChoices, columns, copyCosts, primaryCosts, takes, readBytes, requests, copies, hasPrimary, missing } = choices;
  const count = prices.length / 3;
  const bests = new DomainBests(choices.mostGroups, choices.mostCopies);
  const { copyCost, copyPlace, primaryCost, primaryPlace, slots } = bests;
  used.fill(0);
  let sum = 0;
  let lost = 0;
  const [rowsFrom, rowsEnd] = rows ?? [0, copies.length];
  let choice = groupChoices[rowGroups[rowsFrom]!]!;
  for (let row = rowsFrom; row < rowsEnd; row++) {
    const primaryToo = hasPrimary[row] === 1;
    const read = readBytes[row]!;
    const asked = requests[row]!;
    const from = rowGroups[row]!;
    const groups = rowGroups[row + 1]! - from;
    for (let group = 0; group < groups; group++) {
      let cheapest = Infinity;
      let place = -1;
      let primaryCheapest = Infinity;
      let primaryAt = -1;
      for (const groupEnd = groupChoices[from + group + 1]!; choice < groupEnd; choice++) {
        const column = columns[choice]!;
        const room = takes[choice]! * prices[column]!;
        const cost = copyCosts[choice]! + room;
        if (cost < cheapest) {
          cheapest = cost;
          place = choice;
        }
        if (!primaryToo) continue;
        const asPrimary = primaryCosts[choice]! + room + read * prices[count + column]! + asked * prices[2 * count + column]!;
        if (asPrimary < primaryCheapest) {
          primaryCheapest = asPrimary;
          primaryAt = choice;
        }
      }
      copyCost[group] = cheapest;
      copyPlace[group] = place;
      primaryCost[group] = primaryCheapest;
      primaryPlace[group] = primaryAt;
    }
    const wanted = copies[row]!;
    const cost = wanted <= 3 ? bests.pickFew(groups, wanted, primaryToo, missing[row]!) : bests.pick(groups, wanted, primaryToo, missing[row]!);
    for (let slot = 0; slot < wanted; slot++) {
      const at = slots[slot]!;
      if (at === -1) continue;
      used[columns[at]!]! += takes[at]!;
      if (slot > 0 || !primaryToo) continue;
      used[count + columns[at]!]! += read;
      used[2 * count + columns[at]!]! += asked;
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

  constructor(make: new (length: number) => T, length: number) {
    this.#make = make;
    this.#numbers = new make(length);
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

/** The lists while they are written, one choice after the other; domains without choices are no groups. */
class ChoiceLists {
  readonly #rowGroups: Int32Array;
  readonly #groupChoices: GrowingList<Int32Array>;
  readonly #columns: GrowingList<Int16Array>;
  readonly #copyCosts: GrowingList<Float64Array>;
  readonly #primaryCosts: GrowingList<Float64Array>;
  readonly #takes: GrowingList<Float64Array>;
  #groupFrom = 0;

  constructor(rows: number) {
    const likely = 4 * (rows + 1);
    this.#rowGroups = new Int32Array(rows + 1);
    this.#groupChoices = new GrowingList(Int32Array, likely);
    this.#columns = new GrowingList(Int16Array, likely);
    this.#copyCosts = new GrowingList(Float64Array, likely);
    this.#primaryCosts = new GrowingList(Float64Array, likely);
    this.#takes = new GrowingList(Float64Array, likely);
    this.#groupChoices.push(0);
  }

  add(column: number, copyCost: number, primaryCost: number, takes: number): void {
    this.#columns.push(column);
    this.#copyCosts.push(copyCost);
    this.#primaryCosts.push(primaryCost);
    this.#takes.push(takes);
  }

  endGroup(): void {
    if (this.#columns.length > this.#groupFrom) this.#groupChoices.push(this.#columns.length);
    this.#groupFrom = this.#columns.length;
  }

  endRow(at: number): void {
    this.#rowGroups[at + 1] = this.#groupChoices.length - 1;
  }

  whole() {
    return {
      rowGroups: this.#rowGroups,
      groupChoices: this.#groupChoices.whole(),
      columns: this.#columns.whole(),
      copyCosts: this.#copyCosts.whole(),
      primaryCosts: this.#primaryCosts.whole(),
      takes: this.#takes.whole(),
    };
  }
}
