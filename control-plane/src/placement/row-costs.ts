import type { PreparedAssignment } from './prepare-assignment.ts';

/** What one dataset costs in each column of its rule, with and without what room is worth; one is looked at after the other. */
export class RowCosts {
  /** Dollars at [column], as the problem says; Infinity where it may not be. */
  readonly copy: Float64Array;
  readonly primary: Float64Array;
  /** The same with what the use of the column is worth at prices. */
  readonly paidCopy: Float64Array;
  readonly paidPrimary: Float64Array;
  /** Bytes of room that a copy takes up. */
  readonly takes: Float64Array;
  readonly #prepared: PreparedAssignment;
  readonly #prices: Float64Array;
  /** By column: where what is special to the row stands in the lists, −1 for nothing. */
  readonly #specialAt: Int32Array;
  /** By home: what is less where it is near. */
  readonly #nearCredits: Float64Array;

  constructor(prepared: PreparedAssignment, prices: Float64Array) {
    const dollars = (): Float64Array => new Float64Array(prepared.problem.targets.count);
    [this.copy, this.primary, this.paidCopy, this.paidPrimary, this.takes] = [dollars(), dollars(), dollars(), dollars(), dollars()];
    this.#prepared = prepared;
    this.#prices = prices;
    this.#specialAt = new Int32Array(prepared.problem.targets.count).fill(-1);
    this.#nearCredits = new Float64Array(prepared.homes);
  }

  fill(row: number): void {
    const { problem, ruleGroups, groupMembers, members, serves } = this.#prepared;
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
    const firstSpecial = datasets.specialsFrom[row]!;
    const endOfSpecials = datasets.specialsFrom[row + 1]!;
    for (let at = firstSpecial; at < endOfSpecials; at++) this.#specialAt[datasets.specialColumn[at]!] = at;
    const firstNear = datasets.nearFrom[row]!;
    const endOfNear = datasets.nearFrom[row + 1]!;
    for (let at = firstNear; at < endOfNear; at++) this.#nearCredits[datasets.nearHome[at]!] = datasets.nearCredit[at]!;
    for (let member = from; member < end; member++) {
      const column = members[member]!;
      const special = this.#specialAt[column]!;
      const takes = special !== -1 && datasets.stays[special] === 1 ? 0 : size;
      const fits = takes <= targets.roomBytes[column]!;
      const base =
        Math.max(size, objects * targets.minimumObjectBytes[column]!) * targets.holdPerByte[column]! +
        datasets.atStake[row]! * targets.lost[column]! +
        size * targets.arrivePerByte[column]! +
        objects * targets.arrivePerObject[column]! +
        datasets.arrive[row]!;
      const room = takes * prices[column]!;
      const near = special === -1 ? this.#nearCredits[targets.home[column]!]! : 0;
      const copy = fits ? base - (special === -1 ? near : datasets.copyCredit[special]!) : Infinity;
      this.takes[column] = takes;
      this.copy[column] = copy;
      this.paidCopy[column] = copy + room;
      this.primary[column] = Infinity;
      this.paidPrimary[column] = Infinity;
      if (!primaryToo || serves[member] === 0 || !fits || read > targets.readBytesLimit[column]! || asked > targets.requestsLimit[column]!) continue;
      const use = read * targets.readPerByte[column]! + asked * targets.perRequest[column]!;
      const primary = base + use - (special === -1 ? near : datasets.primaryCredit[special]!);
      this.primary[column] = primary;
      this.paidPrimary[column] = primary + room + read * prices[targets.count + column]! + asked * prices[2 * targets.count + column]!;
    }
    for (let at = firstSpecial; at < endOfSpecials; at++) this.#specialAt[datasets.specialColumn[at]!] = -1;
    for (let at = firstNear; at < endOfNear; at++) this.#nearCredits[datasets.nearHome[at]!] = 0;
  }
}
