/**
 * What each failure domain offers one dataset, and of these the cheapest whole: the primary in one domain, the other copies in the cheapest others.
 * Exact, because within one dataset nothing else binds: for each place of the primary the best others are the cheapest domains that are left.
 */
export class DomainBests {
  /** Of each domain, filled by who uses it: its cheapest place for a copy and for the primary, and the second cheapest there. */
  readonly copyCost: Float64Array;
  readonly copyPlace: Int32Array;
  readonly copySecond: Float64Array;
  readonly copySecondPlace: Int32Array;
  readonly primaryCost: Float64Array;
  readonly primaryPlace: Int32Array;
  readonly primarySecond: Float64Array;
  readonly primarySecondPlace: Int32Array;
  /** The answer: places, as they were filled in; −1 for what is left out. */
  readonly slots: Int32Array;
  /** Domain of each; −1 for what is left out. */
  readonly slotGroups: Int32Array;
  /** Of the copies that are not the primary: what they cost. */
  readonly slotCosts: Float64Array;
  cost = 0;
  /** The first domain that has no copy, as the dearest copy's next place: what it costs, at most `missing`, and its place; −1: nowhere. */
  nextCost = 0;
  nextPlace = -1;
  /** How much dearer the whole is with the primary in another domain, at least, and which; −1: left out. */
  primaryGap = 0;
  primaryNextGroup = -1;
  /** What the dearest domain costs, at least, that a copy may want, whichever has the primary; −Infinity where only the primary is wanted. */
  dearestCopy = 0;
  /** What the primary costs, and what the other copies pay for its being where it is; at most `missing`. */
  primaryWorth = 0;
  /** Domain of the primary; −1 where it is left out. */
  primaryGroup = -1;
  readonly #topCost: Float64Array;
  readonly #topGroup: Int32Array;
  #kept = 0;

  constructor(mostGroups: number, mostCopies: number) {
    const dollars = (length = mostGroups): Float64Array => new Float64Array(length);
    const places = (length = mostGroups): Int32Array => new Int32Array(length);
    [this.copyCost, this.copySecond, this.primaryCost, this.primarySecond] = [dollars(), dollars(), dollars(), dollars()];
    [this.copyPlace, this.copySecondPlace, this.primaryPlace, this.primarySecondPlace] = [places(), places(), places(), places()];
    [this.slots, this.slotGroups, this.slotCosts] = [places(mostCopies), places(mostCopies), dollars(mostCopies)];
    [this.#topCost, this.#topGroup] = [dollars(mostCopies + 2), places(mostCopies + 2)];
  }

  /**
   * @param groups how many domains are filled in
   * @param copies wanted, the primary included
   * @param missing what each that is left out costs; a place that costs more is left out
   * @returns the cost of the answer, with what is left out
   */
  pick(groups: number, copies: number, hasPrimary: boolean, missing: number): number {
    const others = hasPrimary ? copies - 1 : copies;
    this.#keepCheapest(groups, others + (hasPrimary ? 2 : 1), missing);
    this.primaryGroup = -1;
    this.primaryWorth = -Infinity;
    this.cost = 0;
    const needed = hasPrimary && others > 0 ? others + 1 : others;
    this.dearestCopy = needed === 0 ? -Infinity : needed <= this.#kept ? this.#topCost[needed - 1]! : missing;
    if (hasPrimary) this.#placePrimary(groups, others, missing);
    this.#placeOthers(hasPrimary ? 1 : 0, copies, missing);
    return this.cost;
  }

  /** By how much the copy in a slot that is not the primary's would be dearer elsewhere, and where. */
  copyGap(slot: number): number {
    const group = this.slotGroups[slot]!;
    if (group === -1) return Infinity;
    return Math.min(this.nextCost, this.copySecond[group]!) - this.slotCosts[slot]!;
  }

  copyNextPlace(slot: number): number {
    const group = this.slotGroups[slot]!;
    return this.copySecond[group]! < this.nextCost ? this.copySecondPlace[group]! : this.nextPlace;
  }

  /** Places of the copies beside the primary, were it in this domain; into a list. @returns how many */
  othersBeside(group: number, others: number, into: Int32Array): number {
    let taken = 0;
    for (let at = 0; at < this.#kept && taken < others; at++) {
      if (this.#topGroup[at] !== group) into[taken++] = this.copyPlace[this.#topGroup[at]!]!;
    }
    return taken;
  }

  #placePrimary(groups: number, others: number, missing: number): void {
    const topCost = this.#topCost;
    const topGroup = this.#topGroup;
    const kept = this.#kept;
    const { primaryCost } = this;
    let sum = 0;
    for (let one = 0; one < others; one++) sum += one < kept ? topCost[one]! : missing;
    const next = others < kept ? topCost[others]! : missing;
    let best = missing + sum;
    let second = Infinity;
    let bestGroup = -1;
    let secondGroup = -1;
    for (let group = 0; group < groups; group++) {
      let total = primaryCost[group]! + sum;
      if (total > second) continue;
      for (let one = 0; one < others && one < kept; one++) {
        if (topGroup[one] !== group) continue;
        total += next - topCost[one]!;
        break;
      }
      if (total <= best) {
        second = best;
        secondGroup = bestGroup;
        best = total;
        bestGroup = group;
      } else if (total < second) {
        second = total;
        secondGroup = group;
      }
    }
    this.primaryGroup = bestGroup;
    this.primaryNextGroup = secondGroup;
    this.primaryGap = second - best;
    this.primaryWorth = best - sum;
    this.slots[0] = bestGroup === -1 ? -1 : this.primaryPlace[bestGroup]!;
    this.slotGroups[0] = bestGroup;
    this.cost = bestGroup === -1 ? missing : primaryCost[bestGroup]!;
  }

  #placeOthers(from: number, copies: number, missing: number): void {
    const topCost = this.#topCost;
    const topGroup = this.#topGroup;
    let slot = from;
    this.nextCost = missing;
    this.nextPlace = -1;
    for (let at = 0; at < this.#kept; at++) {
      const group = topGroup[at]!;
      if (group === this.primaryGroup) continue;
      if (slot === copies) {
        this.nextCost = topCost[at]!;
        this.nextPlace = this.copyPlace[group]!;
        break;
      }
      this.slots[slot] = this.copyPlace[group]!;
      this.slotGroups[slot] = group;
      this.slotCosts[slot++] = topCost[at]!;
      this.cost += topCost[at]!;
    }
    for (; slot < copies; slot++) {
      this.slots[slot] = -1;
      this.slotGroups[slot] = -1;
      this.cost += missing;
    }
  }

  /** The cheapest domains for a copy that are worth it, at most so many. */
  #keepCheapest(groups: number, most: number, missing: number): void {
    const { copyCost } = this;
    const topCost = this.#topCost;
    const topGroup = this.#topGroup;
    let kept = 0;
    let limit = missing;
    for (let group = 0; group < groups; group++) {
      const cost = copyCost[group]!;
      if (cost >= limit) continue;
      let to = kept < most ? kept++ : most - 1;
      while (to > 0 && topCost[to - 1]! > cost) {
        topCost[to] = topCost[to - 1]!;
        topGroup[to] = topGroup[to - 1]!;
        to--;
      }
      topCost[to] = cost;
      topGroup[to] = group;
      if (kept === most) limit = topCost[most - 1]!;
    }
    this.#kept = kept;
  }
}
