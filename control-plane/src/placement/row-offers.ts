import { ColumnTerms } from './column-terms.ts';
import type { DomainBests } from './domain-bests.ts';
import { type PreparedAssignment, whim, whimsOf } from './prepare-assignment.ts';
import { type Looks, RowCandidates } from './row-candidates.ts';

/**
 * What each failure domain offers a row under prices: its cheapest and second cheapest place for a copy and for the primary, with whims into one list and
 * without them into the other. All places of the row's rule are looked at, or those of its list.
 */
export class RowOffers {
  /** By home: what is less for the row that is looked at. */
  readonly nearCredits: Float64Array;
  /** By column: what is less besides, and whether it is there. */
  readonly copyCredits: Float64Array;
  readonly primaryCredits: Float64Array;
  readonly isThere: Uint8Array;
  readonly #prepared: PreparedAssignment;
  readonly #terms: ColumnTerms;
  readonly #bests: DomainBests;
  readonly #plain: DomainBests;
  readonly #candidates: RowCandidates;
  /** By place in the list of the row that is looked at; Infinity where it may not be. */
  readonly #copyCosts: Float64Array;
  readonly #primaryCosts: Float64Array;
  readonly #columns: Int32Array;
  readonly #leastRoom: number;
  readonly #leastReadBytes: number;
  readonly #leastRequests: number;
  readonly #mostMinimum: number;

  constructor(prepared: PreparedAssignment, bests: DomainBests, plain: DomainBests, looks: Looks) {
    const { count, roomBytes, readBytesLimit, requestsLimit, minimumObjectBytes } = prepared.problem.targets;
    this.#prepared = prepared;
    this.#bests = bests;
    this.#plain = plain;
    this.#terms = new ColumnTerms(prepared);
    this.#candidates = new RowCandidates(prepared, looks);
    [this.#copyCosts, this.#primaryCosts, this.#columns] = [new Float64Array(count), new Float64Array(count), new Int32Array(count)];
    [this.copyCredits, this.primaryCredits, this.isThere] = [new Float64Array(count), new Float64Array(count), new Uint8Array(count)];
    this.nearCredits = new Float64Array(prepared.homes);
    const least = (limits: Float64Array): number => limits.reduce((lowest, limit) => Math.min(lowest, limit), Infinity);
    [this.#leastRoom, this.#leastReadBytes, this.#leastRequests] = [least(roomBytes), least(readBytesLimit), least(requestsLimit)];
    this.#mostMinimum = minimumObjectBytes.reduce((most, bytes) => Math.max(most, bytes), 0);
  }

  /** @param need how far apart whims and windows put costs, as a share of the usual cost */
  setPrices(prices: Float64Array, need: number): void {
    this.#terms.setPrices(prices);
    this.#candidates.begin(prices, need);
  }

  /**
   * @param ofCopy dollars that whims about a copy's place come to at most, and about the primary's
   * @returns how many domains offer something
   */
  fill(row: number, ofCopy: number, ofPrimary: number): number {
    const { problem, ruleGroups, groupMembers, members, serves } = this.#prepared;
    const { bytes, objects, atStake, readBytes, requests, arrive, hasPrimary, rule } = problem.datasets;
    const { perByte, perRead, perRequest } = this.#terms;
    const { arrivePerObject, lost } = problem.targets;
    const copyCosts = this.#copyCosts;
    const primaryCosts = this.#primaryCosts;
    const columns = this.#columns;
    const size = bytes[row]!;
    const pieces = objects[row]!;
    const stake = atStake[row]!;
    const read = readBytes[row]!;
    const asked = requests[row]!;
    const arrives = arrive[row]!;
    const primaryToo = hasPrimary[row] === 1;
    const first = groupMembers[ruleGroups[rule[row]!]!]!;
    const { entries } = this.#candidates;
    const from = this.#candidates.from[row]!;
    const count = (this.#candidates.end[row]! || this.#candidates.all[rule[row]!]!) - from;
    for (let at = 0; at < count; at++) {
      const member = first + entries[from + at]!;
      const column = members[member]!;
      columns[at] = column;
      const base = size * perByte[column]! + pieces * arrivePerObject[column]! + stake * lost[column]! + arrives;
      copyCosts[at] = base;
      primaryCosts[at] = primaryToo && serves[member] === 1 ? base + read * perRead[column]! + asked * perRequest[column]! : Infinity;
    }
    if (size > this.#leastRoom || read > this.#leastReadBytes || asked > this.#leastRequests || pieces * this.#mostMinimum > size) this.#weighRare(row, count);
    const { specialsFrom, nearFrom } = problem.datasets;
    if (specialsFrom[row] !== specialsFrom[row + 1] || nearFrom[row] !== nearFrom[row + 1]) this.#credit(count);
    return this.#bestOfDomains(first, from, count, whimsOf(row), ofCopy, ofPrimary);
  }

  end(): void {
    this.#candidates.giveBack();
  }

  /** Whether the row that was filled in should have a list and has none. */
  isToList(row: number): boolean {
    return this.#candidates.isListing && this.#candidates.end[row] === 0;
  }

  /**
   * Lists what the row that was filled in, and picked from without whims, may want while prices move little: of all domains that are among the cheapest it
   * needs, or the primary's, within the margin, the places that are the cheapest there within it. What the other copies pay around the primary moves too.
   */
  list(row: number): void {
    const { problem, usual, ruleGroups, groupMembers, groupOf } = this.#prepared;
    const { bytes, readBytes, requests, hasPrimary, rule } = problem.datasets;
    const { copyCost, primaryCost } = this.#plain;
    const { margins, need } = this.#candidates;
    const ofCopy = (margins[0]! + need) * bytes[row]! * usual[0]!;
    const ofUse = hasPrimary[row] === 1 ? (margins[1]! + need) * readBytes[row]! * usual[1]! + (margins[2]! + need) * requests[row]! * usual[2]! : 0;
    const mostOfCopy = this.#plain.dearestCopy + ofCopy;
    const mostOfPrimary = this.#plain.primaryWorth + ofUse + 2 * ofCopy;
    const first = groupMembers[ruleGroups[rule[row]!]!]!;
    let group = -1;
    let before = -1;
    this.#candidates.open(row);
    for (let entry = 0; entry < this.#candidates.all[rule[row]!]!; entry++) {
      const its = groupOf[first + entry]!;
      if (its !== before) group++;
      before = its;
      const copy = this.#copyCosts[entry]!;
      const primary = this.#primaryCosts[entry]!;
      const mayBeCopy = copy <= mostOfCopy && copy <= copyCost[group]! + ofCopy;
      if (mayBeCopy || (primary <= mostOfPrimary && primary <= primaryCost[group]! + ofUse + ofCopy)) this.#candidates.add(entry);
    }
    this.#candidates.close(row);
  }

  /** What few rows run into: a place that is too small or too weak for it, and one that bills small objects as larger ones. */
  #weighRare(row: number, count: number): void {
    const { datasets, targets } = this.#prepared.problem;
    const size = datasets.bytes[row]!;
    const pieces = datasets.objects[row]!;
    for (let at = 0; at < count; at++) {
      const column = this.#columns[at]!;
      if (size > targets.roomBytes[column]! && this.isThere[column] === 0) {
        this.#copyCosts[at] = Infinity;
        this.#primaryCosts[at] = Infinity;
        continue;
      }
      const more = Math.max(0, pieces * targets.minimumObjectBytes[column]! - size) * targets.holdPerByte[column]!;
      this.#copyCosts[at]! += more;
      this.#primaryCosts[at]! += more;
      if (datasets.readBytes[row]! > targets.readBytesLimit[column]! || datasets.requests[row]! > targets.requestsLimit[column]!)
        this.#primaryCosts[at] = Infinity;
    }
  }

  #credit(count: number): void {
    const { home } = this.#prepared.problem.targets;
    const { nearCredits, copyCredits, primaryCredits } = this;
    for (let at = 0; at < count; at++) {
      const column = this.#columns[at]!;
      const near = nearCredits[home[column]!]!;
      // Where the row may not be, Infinity stays: it must not meet one that is credited.
      if (this.#copyCosts[at]! < Infinity) this.#copyCosts[at]! -= near + copyCredits[column]!;
      if (this.#primaryCosts[at]! < Infinity) this.#primaryCosts[at]! -= near + primaryCredits[column]!;
    }
  }

  #bestOfDomains(first: number, from: number, count: number, ownWhims: number, ofCopy: number, ofPrimary: number): number {
    const { groupOf } = this.#prepared;
    const { whims } = this.#terms;
    const { copyCost, copySecond, copyPlace, copySecondPlace, primaryCost, primarySecond, primaryPlace, primarySecondPlace } = this.#bests;
    const { copyCost: plainCopyCost, primaryCost: plainPrimaryCost } = this.#plain;
    const copyCosts = this.#copyCosts;
    const primaryCosts = this.#primaryCosts;
    const columns = this.#columns;
    const { entries } = this.#candidates;
    let groups = 0;
    let at = 0;
    while (at < count) {
      const group = groupOf[first + entries[from + at]!]!;
      let cheapest = Infinity;
      let second = Infinity;
      let place = -1;
      let secondPlace = -1;
      let primaryCheapest = Infinity;
      let primaryNext = Infinity;
      let primaryAt = -1;
      let primaryNextAt = -1;
      let plain = Infinity;
      let plainPrimary = Infinity;
      do {
        const column = columns[at]!;
        const liking = ofCopy > 0 ? whim(ownWhims, whims[column]!) : 0;
        const alone = copyCosts[at]!;
        if (alone < plain) plain = alone;
        const cost = alone + ofCopy * liking;
        if (cost < cheapest) {
          second = cheapest;
          secondPlace = place;
          cheapest = cost;
          place = column;
        } else if (cost < second) {
          second = cost;
          secondPlace = column;
        }
        const aloneAsPrimary = primaryCosts[at++]!;
        if (aloneAsPrimary === Infinity) continue;
        if (aloneAsPrimary < plainPrimary) plainPrimary = aloneAsPrimary;
        const asPrimary = aloneAsPrimary + ofPrimary * liking;
        if (asPrimary < primaryCheapest) {
          primaryNext = primaryCheapest;
          primaryNextAt = primaryAt;
          primaryCheapest = asPrimary;
          primaryAt = column;
        } else if (asPrimary < primaryNext) {
          primaryNext = asPrimary;
          primaryNextAt = column;
        }
      } while (at < count && groupOf[first + entries[from + at]!] === group);
      plainCopyCost[groups] = plain;
      plainPrimaryCost[groups] = plainPrimary;
      copyCost[groups] = cheapest;
      copyPlace[groups] = place;
      copySecond[groups] = second;
      copySecondPlace[groups] = secondPlace;
      primaryCost[groups] = primaryCheapest;
      primaryPlace[groups] = primaryAt;
      primarySecond[groups] = primaryNext;
      primarySecondPlace[groups++] = primaryNextAt;
    }
    return groups;
  }
}
