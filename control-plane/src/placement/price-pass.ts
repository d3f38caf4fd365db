import { resources } from './assignment.ts';
import { Curvature } from './curvature.ts';
import { DomainBests } from './domain-bests.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';
import type { Looks } from './row-candidates.ts';
import { RowOffers } from './row-offers.ts';

/** Which datasets look for their cheapest places, and what is to be known of it. */
export interface Look {
  /** Which datasets; null for all. */
  readonly rows: Int32Array | null;
  /** For how many like it each stands; null for itself only. */
  readonly weights: Float64Array | null;
  /** How much a dataset's whims about targets may cost, as a share of the usual cost; 0: none, costs as the problem says. */
  readonly whims: number;
  /** How close a second choice must be, as a share of the usual cost, to tell how demand bends; 0: not asked for. */
  readonly window: number;
  /** `width` entries a dataset, to be filled in for these; null where nobody wants to know. */
  readonly places: Int16Array | null;
  /** What each of these pays at its best without whims, to be filled in; null where nobody wants to know. */
  readonly values: Float64Array | null;
}

/** A look at the datasets under prices, by one thread or several. */
export type Pass = Pick<PricePass, 'used' | 'curvature' | 'dollars' | 'magnitude' | 'run' | 'end'>;

/** Makes one for a problem; `end` it when no other look follows. */
export type PassOver = (prepared: PreparedAssignment) => Pass;

/**
 * Every dataset at its cheapest places under prices: exact, since without limits no dataset knows of another. What costs more than leaving the copy out
 * is left out; what is larger than all the room of a target is not put there at any price.
 */
export class PricePass {
  /** What they take up of each resource at each target, resource after resource. */
  readonly used: Float64Array;
  /** How demand bends with prices. */
  readonly curvature: Curvature;
  /** What the datasets pay, prices included; summed with compensation: a million small amounts would lose as much as the gap that is certified. */
  dollars = 0;
  /** The sum of the absolute amounts that were added up: what rounding is measured by. */
  magnitude = 0;
  readonly #prepared: PreparedAssignment;
  readonly #bests: DomainBests;
  /** The same without whims. */
  readonly #plain: DomainBests;
  readonly #offers: RowOffers;
  readonly #beside: Int32Array;

  constructor(prepared: PreparedAssignment, looks: Looks = 'many') {
    this.#prepared = prepared;
    this.#bests = new DomainBests(prepared.mostGroups, prepared.width);
    this.#plain = new DomainBests(prepared.mostGroups, prepared.width);
    this.#offers = new RowOffers(prepared, this.#bests, this.#plain, looks);
    this.#beside = new Int32Array(prepared.width);
    this.used = new Float64Array(resources.length * prepared.problem.targets.count);
    this.curvature = new Curvature(prepared);
  }

  /** No other look follows: what was kept for one is given back. */
  end(): void {
    this.#offers.end();
  }

  run(prices: Float64Array, { rows, weights, whims, window, places, values }: Look): void {
    const { problem, width, usual } = this.#prepared;
    const { bytes, readBytes, requests, copies, hasPrimary, missing } = problem.datasets;
    const { used } = this;
    const bests = this.#bests;
    const plain = this.#plain;
    const offers = this.#offers;
    const targets = problem.targets.count;
    const count = rows?.length ?? problem.datasets.count;
    offers.setPrices(prices, whims + window);
    used.fill(0);
    if (window > 0) this.curvature.clear();
    let sum = 0;
    let lost = 0;
    this.magnitude = 0;
    for (let at = 0; at < count; at++) {
      const row = rows === null ? at : rows[at]!;
      const weight = weights === null ? 1 : weights[at]!;
      const size = bytes[row]!;
      const wanted = copies[row]!;
      const primaryToo = hasPrimary[row] === 1;
      const ofCopy = size * usual[0]!;
      const reach = primaryToo ? ofCopy + readBytes[row]! * usual[1]! + requests[row]! * usual[2]! : ofCopy;
      this.#readNear(row);
      const hasSpecials = this.#readSpecials(row, prices);
      const groups = offers.fill(row, whims * ofCopy, whims * reach);
      const cost = weight * bests.pick(groups, wanted, primaryToo, missing[row]!);
      const toList = offers.isToList(row);
      if (values !== null || toList) {
        const value = plain.pick(groups, wanted, primaryToo, missing[row]!);
        if (values !== null) values[row] = value;
        if (toList) offers.list(row);
      }
      for (let slot = 0; slot < wanted; slot++) {
        const column = bests.slots[slot]!;
        if (places !== null) places[row * width + slot] = column;
        if (column === -1) continue;
        if (offers.isThere[column] === 0) used[column]! += weight * size;
        if (slot > 0 || !primaryToo) continue;
        used[targets + column]! += weight * readBytes[row]!;
        used[2 * targets + column]! += weight * requests[row]!;
      }
      if (window > 0) this.#bend(row, weight, window * ofCopy, window * reach);
      if (hasSpecials) this.#forgetSpecials(row);
      this.#forgetNear(row);
      const next = cost - lost;
      const total = sum + next;
      lost = total - sum - next;
      sum = total;
      this.magnitude += Math.abs(cost);
    }
    this.dollars = sum;
  }

  /** The second choices of a row that are close, as what would leave one target for another. */
  #bend(row: number, weight: number, copyWindow: number, primaryWindow: number): void {
    const { datasets } = this.#prepared.problem;
    const { curvature } = this;
    const bests = this.#bests;
    const wanted = datasets.copies[row]!;
    const { isThere } = this.#offers;
    const size = weight * datasets.bytes[row]!;
    const takes = (column: number): number => (column === -1 || isThere[column] === 1 ? 0 : size);
    const primaryToo = datasets.hasPrimary[row] === 1;
    if (primaryToo && bests.primaryGroup !== -1) {
      const group = bests.primaryGroup;
      const within = bests.primarySecond[group]! - bests.primaryCost[group]!;
      if (Math.min(within, bests.primaryGap) < primaryWindow) {
        const here = bests.slots[0]!;
        const isWithin = within <= bests.primaryGap;
        const nextGroup = bests.primaryNextGroup;
        const there = isWithin ? bests.primarySecondPlace[group]! : nextGroup === -1 ? -1 : bests.primaryPlace[nextGroup]!;
        curvature.begin();
        curvature.add(here, -takes(here), -weight * datasets.readBytes[row]!, -weight * datasets.requests[row]!);
        if (there !== -1) curvature.add(there, takes(there), weight * datasets.readBytes[row]!, weight * datasets.requests[row]!);
        if (!isWithin && wanted > 1) {
          for (let slot = 1; slot < wanted; slot++) if (bests.slots[slot] !== -1) curvature.add(bests.slots[slot]!, -takes(bests.slots[slot]!), 0, 0);
          const beside = bests.othersBeside(nextGroup, wanted - 1, this.#beside);
          for (let one = 0; one < beside; one++) curvature.add(this.#beside[one]!, takes(this.#beside[one]!), 0, 0);
        }
        curvature.end(Math.min(within, bests.primaryGap) / primaryWindow, primaryWindow * weight);
      }
    }
    for (let slot = primaryToo ? 1 : 0; slot < wanted; slot++) {
      const gap = bests.copyGap(slot);
      if (gap >= copyWindow) continue;
      const here = bests.slots[slot]!;
      const there = bests.copyNextPlace(slot);
      curvature.begin();
      curvature.add(here, -takes(here), 0, 0);
      if (there !== -1) curvature.add(there, takes(there), 0, 0);
      curvature.end(gap / copyWindow, copyWindow * weight);
    }
  }

  #readNear(row: number): void {
    const { copies, nearFrom, nearHome, nearCredit } = this.#prepared.problem.datasets;
    const { nearCredits } = this.#offers;
    const end = nearFrom[row + 1]!;
    for (let one = nearFrom[row]!; one < end; one++) {
      nearCredits[nearHome[one]!] = nearCredit[one]!;
      this.magnitude += copies[row]! * nearCredit[one]!;
    }
  }

  #forgetNear(row: number): void {
    const { nearFrom, nearHome } = this.#prepared.problem.datasets;
    const end = nearFrom[row + 1]!;
    for (let one = nearFrom[row]!; one < end; one++) this.#offers.nearCredits[nearHome[one]!] = 0;
  }

  /** After what is near: what is special to a column stands in its place. */
  #readSpecials(row: number, prices: Float64Array): boolean {
    const { bytes, specialsFrom, specialColumn, copyCredit, primaryCredit, stays } = this.#prepared.problem.datasets;
    const from = specialsFrom[row]!;
    const end = specialsFrom[row + 1]!;
    const { home } = this.#prepared.problem.targets;
    for (let one = from; one < end; one++) {
      const column = specialColumn[one]!;
      const room = stays[one] === 1 ? bytes[row]! * prices[column]! : 0;
      const near = this.#offers.nearCredits[home[column]!]!;
      this.#offers.copyCredits[column] = copyCredit[one]! - near + room;
      this.#offers.primaryCredits[column] = primaryCredit[one]! - near + room;
      this.#offers.isThere[column] = stays[one]!;
      if (copyCredit[one]! !== -Infinity) this.magnitude += Math.abs(copyCredit[one]!) + room;
      if (primaryCredit[one]! !== -Infinity) this.magnitude += Math.abs(primaryCredit[one]!) + room;
    }
    return end > from;
  }

  #forgetSpecials(row: number): void {
    const { specialsFrom, specialColumn } = this.#prepared.problem.datasets;
    for (let one = specialsFrom[row]!; one < specialsFrom[row + 1]!; one++) {
      const column = specialColumn[one]!;
      this.#offers.copyCredits[column] = 0;
      this.#offers.primaryCredits[column] = 0;
      this.#offers.isThere[column] = 0;
    }
  }
}
