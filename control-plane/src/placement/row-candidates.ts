import { resources } from './assignment.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';

/** How many looks follow. */
export type Looks = 'one' | 'many';

/** So far may prices move at least before lists are made anew, as a share of the usual cost; and so far at most, where they moved as far before. */
const leastMargin = 0.001;
const mostMargin = 0.02;
/** Where whims and windows need more than it, as a share of the usual cost, a list would hold nearly all: there are none then. */
const mostNeed = 0.03;
/** Lists that let prices move so many times as far as they do are made anew, shorter, but not before so many passes. */
const tooWide = 8;
const leastPasses = 2;
/** Of a margin: what is left for rounding. */
const slack = 0.999;

/**
 * Which of the columns that its rule allows a row may want while prices move little: its best places are looked for among a handful in place of all, and are the
 * same. What is left out was dearer than what a row needs by more than prices, whims and windows can have made up since. Of every price the range is
 * known that it went through since the first list: a place that is left out became cheaper by at most how far a price fell, what is needed dearer by at most
 * how far one rose. If the two come to more than the margin, or whims to more than theirs, all lists are forgotten.
 */
export class RowCandidates {
  /** Places of a rule's members counted from its first: first those of a rule with the most, then lists. */
  entries: Uint16Array<ArrayBuffer>;
  /** Where the list of a row begins and ends in `entries`; a row without one has all members of its rule, from 0 to `all`. */
  readonly from: Int32Array;
  readonly end: Int32Array;
  /** Of each rule: how many members it has. */
  readonly all: Int32Array;
  isListing = false;
  /** How far prices of each resource may move, as a share of the usual cost. */
  readonly margins = new Float64Array(resources.length);
  /** What whims and windows may add to how far costs are apart, as a share of the usual cost. */
  need = 0;
  readonly #mayList: boolean;
  readonly #usual: Float64Array;
  readonly #targets: number;
  readonly #most: number;
  #used: number;
  #passes = 0;
  readonly #lowest: Float64Array;
  readonly #highest: Float64Array;

  /** @param looks how many: for one nothing is listed */
  constructor({ problem, usual, limits, ruleGroups, groupMembers }: PreparedAssignment, looks: Looks) {
    this.#mayList = looks === 'many';
    this.all = Int32Array.from(problem.rules, (_, rule) => groupMembers[ruleGroups[rule + 1]!]! - groupMembers[ruleGroups[rule]!]!);
    this.#most = this.all.reduce((most, count) => Math.max(most, count), 0);
    this.entries = new Uint16Array(2 * this.#most);
    for (let at = 0; at < this.#most; at++) this.entries[at] = at;
    this.#used = this.#most;
    this.from = new Int32Array(problem.datasets.count);
    this.end = new Int32Array(problem.datasets.count);
    this.#usual = usual;
    this.#targets = problem.targets.count;
    this.#lowest = new Float64Array(limits.length);
    this.#highest = new Float64Array(limits.length);
  }

  /**
   * What is listed holds at these prices from here on; where it does not, it is forgotten.
   *
   * @param need what whims and windows add to how far costs are apart, as a share of the usual cost
   */
  begin(prices: Float64Array, need: number): void {
    const moved = this.#moved(prices);
    if (this.isListing && this.#holds(moved, need)) {
      this.#passes++;
      for (let at = 0; at < prices.length; at++) {
        this.#lowest[at] = Math.min(this.#lowest[at]!, prices[at]!);
        this.#highest[at] = Math.max(this.#highest[at]!, prices[at]!);
      }
      return;
    }
    // Also where the lists hold nothing: those are of rows that want nothing.
    if (this.isListing) {
      this.from.fill(0);
      this.end.fill(0);
    }
    this.#used = this.#most;
    this.#passes = 1;
    this.#lowest.set(prices);
    this.#highest.set(prices);
    this.need = need;
    this.isListing = this.#mayList && need <= mostNeed;
    for (let resource = 0; resource < resources.length; resource++) this.margins[resource] = Math.max(leastMargin, Math.min(mostMargin, moved[resource]!));
  }

  #holds(moved: Float64Array, need: number): boolean {
    if (need > this.need || moved.some((move, resource) => move > slack * this.margins[resource]!)) return false;
    return this.#passes < leastPasses || this.margins[0]! + this.need <= tooWide * (need + Math.max(leastMargin, moved[0]!));
  }

  /** Nothing is looked up any more. */
  giveBack(): void {
    this.entries = new Uint16Array(this.entries.buffer.transfer(0));
  }

  /** The list of a row begins here; `add` what is in it, then `close` it. */
  open(row: number): void {
    if (this.#used + this.#most > this.entries.length) {
      // What is too short is given back at once: of a million rows it is dozens of megabytes.
      this.entries = new Uint16Array(this.entries.buffer.transfer(2 * Math.ceil(1.3 * (this.#used + this.#most))));
    }
    this.from[row] = this.#used;
  }

  add(entry: number): void {
    this.entries[this.#used++] = entry;
  }

  close(row: number): void {
    this.end[row] = this.#used;
  }

  /** Of each resource: how much dearer what is needed and how much cheaper what is left out can have become, together, as a share of the usual cost. */
  #moved(prices: Float64Array): Float64Array {
    const targets = this.#targets;
    return Float64Array.from(resources, (_, resource) => {
      const unit = this.#usual[resource]!;
      let risen = 0;
      let fallen = 0;
      for (let at = resource * targets; at < (resource + 1) * targets; at++) {
        const price = prices[at]!;
        if (price > this.#lowest[at]!) risen = Math.max(risen, (price - this.#lowest[at]!) / unit);
        if (price < this.#highest[at]!) fallen = Math.max(fallen, (this.#highest[at]! - price) / unit);
      }
      return risen + fallen;
    });
  }
}
