/**
 * What each failure domain offers one dataset, and of these the cheapest whole: the primary in one domain, the other copies in the cheapest others.
 * Exact, because within one dataset nothing else binds: for each place of the primary the best others are the cheapest domains that are left.
 */
export class DomainBests {
  /** Of each domain, filled by who uses it: its cheapest place for a copy and for the primary, and what the second cheapest costs there. */
  readonly copyCost: Float64Array;
  readonly copySecond: Float64Array;
  readonly copyPlace: Int32Array;
  readonly primaryCost: Float64Array;
  readonly primarySecond: Float64Array;
  readonly primaryPlace: Int32Array;
  /** The answer: places, as they were filled in; −1 for what is left out. */
  readonly slots: Int32Array;
  cost = 0;
  /** How much dearer than the answer any other is, for each copy that would be elsewhere, at least. */
  slack = 0;
  /** Domain of the primary; −1 where it is left out. */
  primaryGroup = -1;
  /** What putting the primary into a domain costs more than the answer, at [domain]; only after `pick` of a row with a primary. */
  readonly primaryExtra: Float64Array;
  /** What a copy must not cost more than to be worth a look. */
  lastTaken = 0;
  readonly #topCost: Float64Array;
  readonly #topGroup: Int32Array;

  constructor(mostGroups: number, mostCopies: number) {
    const dollars = (): Float64Array => new Float64Array(mostGroups);
    [this.copyCost, this.copySecond, this.primaryCost, this.primarySecond, this.primaryExtra] = [dollars(), dollars(), dollars(), dollars(), dollars()];
    this.copyPlace = new Int32Array(mostGroups);
    this.primaryPlace = new Int32Array(mostGroups);
    this.slots = new Int32Array(mostCopies);
    this.#topCost = new Float64Array(mostCopies + 3);
    this.#topGroup = new Int32Array(mostCopies + 3);
  }

  /**
   * @param groups how many domains are filled in
   * @param copies wanted, the primary included
   * @param missing what each that is left out costs; a place that costs more is left out
   * @returns the cost of the answer, with what is left out
   */
  pick(groups: number, copies: number, hasPrimary: boolean, missing: number): number {
    const { slots } = this;
    const topCost = this.#topCost;
    const topGroup = this.#topGroup;
    const others = hasPrimary ? copies - 1 : copies;
    const kept = this.#cheapest(groups, others + (hasPrimary ? 2 : 1));
    this.primaryGroup = -1;
    let second = Infinity;
    let best = 0;
    if (hasPrimary) {
      let sum = 0;
      for (let one = 0; one < others; one++) sum += one < kept && topCost[one]! < missing ? topCost[one]! : missing;
      const next = others < kept && topCost[others]! < missing ? topCost[others]! : missing;
      best = missing + sum;
      for (let group = 0; group < groups; group++) {
        const own = this.primaryCost[group]!;
        this.primaryExtra[group] = Infinity;
        if (own === Infinity) continue;
        let total = own + sum;
        for (let one = 0; one < others && one < kept; one++) {
          if (topGroup[one] !== group) continue;
          if (topCost[one]! < missing) total += next - topCost[one]!;
          break;
        }
        this.primaryExtra[group] = total - own;
        if (total <= best) {
          second = Math.min(second, best);
          best = total;
          this.primaryGroup = group;
        } else if (total < second) second = total;
      }
      const at = this.primaryGroup;
      if (at !== -1) second = Math.min(second, best + this.primarySecond[at]! - this.primaryCost[at]!);
      for (let group = 0; group < groups; group++) this.primaryExtra[group]! -= best;
      slots[0] = at === -1 ? -1 : this.primaryPlace[at]!;
    }
    this.slack = hasPrimary ? (second - best) / copies : Infinity;
    this.cost = hasPrimary ? (this.primaryGroup === -1 ? missing : this.primaryCost[this.primaryGroup]!) : 0;
    this.#takeOthers(kept, hasPrimary ? 1 : 0, copies, missing);
    return this.cost;
  }

  /** `pick` for at most three copies, as nearly all datasets have: written out, since most of a solve is spent here and without what only a close look needs. @returns the cost */
  pickFew(groups: number, copies: number, hasPrimary: boolean, missing: number): number {
    const { copyCost, primaryCost, slots } = this;
    const others = hasPrimary ? copies - 1 : copies;
    let first = missing;
    let second = missing;
    let third = missing;
    let firstGroup = -1;
    let secondGroup = -1;
    let thirdGroup = -1;
    if (others > 0) {
      for (let group = 0; group < groups; group++) {
        const cost = copyCost[group]!;
        if (cost >= third) continue;
        if (cost >= second) {
          third = cost;
          thirdGroup = group;
          continue;
        }
        third = second;
        thirdGroup = secondGroup;
        if (cost >= first) {
          second = cost;
          secondGroup = group;
          continue;
        }
        second = first;
        secondGroup = firstGroup;
        first = cost;
        firstGroup = group;
      }
    }
    let cost = (others > 0 ? first : 0) + (others > 1 ? second : 0) + (others > 2 ? third : 0);
    let primaryGroup = -1;
    if (hasPrimary) {
      const next = others === 0 ? 0 : others === 1 ? second : third;
      const sum = cost;
      cost = missing + sum;
      for (let group = 0; group < groups; group++) {
        let total = primaryCost[group]! + sum;
        if (others > 0 && group === firstGroup) total += next - first;
        else if (others > 1 && group === secondGroup) total += next - second;
        if (total > cost) continue;
        cost = total;
        primaryGroup = group;
      }
      slots[0] = primaryGroup === -1 ? -1 : this.primaryPlace[primaryGroup]!;
    }
    let slot = hasPrimary ? 1 : 0;
    if (slot < copies && firstGroup !== -1 && firstGroup !== primaryGroup) slots[slot++] = this.copyPlace[firstGroup]!;
    if (slot < copies && secondGroup !== -1 && secondGroup !== primaryGroup) slots[slot++] = this.copyPlace[secondGroup]!;
    if (slot < copies && thirdGroup !== -1 && thirdGroup !== primaryGroup) slots[slot++] = this.copyPlace[thirdGroup]!;
    for (; slot < copies; slot++) slots[slot] = -1;
    return cost;
  }

  /** The cheapest domains for a copy, at most so many, into the list on top. @returns how many */
  #cheapest(groups: number, most: number): number {
    const { copyCost } = this;
    const topCost = this.#topCost;
    const topGroup = this.#topGroup;
    let kept = 0;
    for (let group = 0; group < groups; group++) {
      const cost = copyCost[group]!;
      if (kept === most && cost >= topCost[most - 1]!) continue;
      let to = kept < most ? kept++ : most - 1;
      while (to > 0 && topCost[to - 1]! > cost) {
        topCost[to] = topCost[to - 1]!;
        topGroup[to] = topGroup[to - 1]!;
        to--;
      }
      topCost[to] = cost;
      topGroup[to] = group;
    }
    return kept;
  }

  #takeOthers(kept: number, from: number, copies: number, missing: number): void {
    const topCost = this.#topCost;
    const topGroup = this.#topGroup;
    let next = Infinity;
    let dearest = 0;
    let slot = from;
    for (let at = 0; at < kept; at++) {
      if (topGroup[at] === this.primaryGroup) continue;
      if (slot === copies) {
        next = topCost[at]!;
        break;
      }
      if (topCost[at]! > missing) {
        this.slack = Math.min(this.slack, topCost[at]! - missing);
        break;
      }
      this.slots[slot++] = this.copyPlace[topGroup[at]!]!;
      dearest = topCost[at]!;
      this.cost += dearest;
    }
    // Those that are taken are the first of the list, but for the domain of the primary.
    for (let one = 0, left = slot - from; left > 0; one++) {
      if (topGroup[one] === this.primaryGroup) continue;
      left--;
      const cost = topCost[one]!;
      this.slack = Math.min(this.slack, next - cost, missing - cost, this.copySecond[topGroup[one]!]! - cost);
    }
    // A primary that goes where a copy is sends that one to the next domain.
    this.lastTaken = slot < copies ? missing : Math.min(missing, from === 1 ? next : dearest);
    for (; slot < copies; slot++) {
      this.slots[slot] = -1;
      this.cost += missing;
    }
  }
}
