import { resources } from './assignment.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';

/** So far may prices move at least before lists are made anew, as a share of the usual cost; and so far at most, where they moved as far before. */
const leastMargin = 0.001;
const mostMargin = 0.05;
/** Where whims and windows need more than it, as a share of the usual cost, a list would hold nearly all: there are none then. */
const mostNeed = 0.03;
/** Lists that let prices move so many times as far as they do are made anew, shorter, but not before so many passes. */
const tooWide = 8;
const leastPasses = 2;
/** Of a margin: what is left for rounding. */
const slack = 0.999;

/** What an entry says besides its column: that the primary may not be there, and that it is the first of its domain. */
export const mostColumn = 0x3fff;
export const shutToReaders = 0x4000;
export const opensDomain = 0x8000;

/**
 * Which of the columns that its rule allows a row may want while prices move little: its best places are looked for among a handful in place of all, and are the
 * same. What is left out was dearer than what a row needs by more than prices, whims and windows can have made up since. Of every price the range is
 * known that it went through since the first list: a place that is left out became cheaper by at most how far a price fell, what is needed dearer by at most
 * how far one rose. If the two come to more than the margin, or whims to more than theirs, all lists are forgotten.
 *
 * Entries are numbered as the members of all rules, which come first; then lists.
 */
export class RowCandidates {
  isListing = false;
  /** How far prices of each resource may move, as a share of the usual cost. */
  readonly margins = new Float64Array(resources.length);
  /** What whims and windows may add to how far costs are apart, as a share of the usual cost. */
  need = 0;
  /** Where the next list begins. */
  next: number;
  /** Where the list of a row begins and ends; 0 and 0 for a row without one. */
  readonly #from: Int32Array;
  readonly #end: Int32Array;
  readonly #prepared: PreparedAssignment;
  #passes = 0;
  readonly #lowest: Float64Array;
  readonly #highest: Float64Array;

  constructor(prepared: PreparedAssignment) {
    const { problem, limits, members } = prepared;
    if (problem.targets.count > mostColumn + 1) throw new Error(`${problem.targets.count} targets are more than ${mostColumn + 1}, which can be placed on`);
    this.#prepared = prepared;
    this.next = members.length;
    this.#from = new Int32Array(problem.datasets.count);
    this.#end = new Int32Array(problem.datasets.count);
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
      this.#from.fill(0);
      this.#end.fill(0);
    }
    this.next = this.#prepared.members.length;
    this.#passes = 1;
    this.#lowest.set(prices);
    this.#highest.set(prices);
    this.need = need;
    this.isListing = need <= mostNeed;
    for (let resource = 0; resource < resources.length; resource++) this.margins[resource] = Math.max(leastMargin, Math.min(mostMargin, moved[resource]!));
  }

  #holds(moved: Float64Array, need: number): boolean {
    if (need > this.need || moved.some((move, resource) => move > slack * this.margins[resource]!)) return false;
    return this.#passes < leastPasses || this.margins[0]! + this.need <= tooWide * (need + Math.max(leastMargin, moved[0]!));
  }

  /** Where what a row may want begins. */
  from(row: number): number {
    return this.#end[row] === 0 ? this.#firstOf(row, 0) : this.#from[row]!;
  }

  /** And where it ends. */
  end(row: number): number {
    return this.#end[row] || this.#firstOf(row, 1);
  }

  /** Whether the row should have a list and has none. */
  isToList(row: number): boolean {
    return this.isListing && this.#end[row] === 0;
  }

  /** The list of a row ends there; it begins where the last one ended. */
  close(row: number, end: number): void {
    this.#from[row] = this.next;
    this.#end[row] = end;
    this.next = end;
  }

  /** The first member of a row's rule, or of the one after it. */
  #firstOf(row: number, later: 0 | 1): number {
    const { problem, ruleGroups, groupMembers } = this.#prepared;
    return groupMembers[ruleGroups[problem.datasets.rule[row]! + later]!]!;
  }

  /** Of each resource: how much dearer what is needed and how much cheaper what is left out can have become, together, as a share of the usual cost. */
  #moved(prices: Float64Array): Float64Array {
    const { usual, problem } = this.#prepared;
    const { count } = problem.targets;
    return Float64Array.from(resources, (_, resource) => {
      const unit = usual[resource]!;
      let risen = 0;
      let fallen = 0;
      for (let at = resource * count; at < (resource + 1) * count; at++) {
        const price = prices[at]!;
        if (price > this.#lowest[at]!) risen = Math.max(risen, (price - this.#lowest[at]!) / unit);
        if (price < this.#highest[at]!) fallen = Math.max(fallen, (this.#highest[at]! - price) / unit);
      }
      return risen + fallen;
    });
  }
}
