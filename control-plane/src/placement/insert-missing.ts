import { amountOf, isPrimary } from './prepare-assignment.ts';
import { costHere, detour, hasRoom, mayBeAt, membersOf, orderOf, type Placing, put, type Repair } from './repair-places.ts';
import { Residents } from './residents.ts';
import { RowCosts } from './row-costs.ts';

/** Of the copies of a target, those that were put elsewhere by others that were put elsewhere, at most so far. */
const depths = [1, 2, 3] as const;
/** Of the copies of a target that could make room only by others, so many are tried. */
const mostTried = [0, 6, 12, 24] as const;
/** Copies of a target that are asked whether they can be elsewhere. */
const mostCandidates = 100;
/** What primaries are read with first: those that leave for it take their bytes with them. */
const orderOfRoom = [1, 2, 0] as const;
/** Looks for a place for one missing copy, own and others': without it a fleet that is too small would be searched to its end. */
const mostLooks = 100;

/**
 * Find places for copies that were left out: others make way that can be elsewhere, those first that lose least for what they take up, and others for these
 * (ejection chains; Glover 1996). What does not end with the copy in its place is undone.
 */
export function insertMissing({ placing, prices, isOver }: Repair): void {
  const { datasets } = placing.prepared.problem;
  const { width } = placing.prepared;
  const out: number[] = [];
  for (let row = 0; row < datasets.count; row++)
    for (let slot = 0; slot < datasets.copies[row]!; slot++) if (placing.places[row * width + slot] === -1) out.push(row * width + slot);
  if (out.length === 0) return;
  const insertion = new Insertion(placing, prices, isOver);
  for (const one of orderOf(out.map((copy) => -datasets.missing[Math.floor(copy / width)]!))) {
    if (isOver()) return;
    insertion.insert(out[one]!);
  }
}

class Insertion {
  readonly #placing: Placing;
  readonly #costs: RowCosts;
  readonly #prices: Float64Array;
  readonly #isOver: () => boolean;
  readonly #residents: Residents;
  /** What was done, to be undone: a copy and where it was. */
  readonly #done: { readonly copy: number; readonly column: number }[] = [];
  /** Copies that are being put somewhere. */
  readonly #held = new Set<number>();
  #looks = 0;
  /** Of each resource at each target: how much room could not be made when it was last tried; Infinity where it could. */
  readonly #hopeless: Float64Array;

  constructor(placing: Placing, prices: Float64Array, isOver: () => boolean) {
    this.#placing = placing;
    this.#costs = new RowCosts(placing.prepared, prices);
    this.#hopeless = new Float64Array(prices.length).fill(Infinity);
    this.#prices = prices;
    this.#residents = new Residents(placing);
    this.#isOver = isOver;
  }

  insert(copy: number): void {
    this.#looks = 0;
    for (const depth of depths) {
      this.#done.length = 0;
      this.#held.clear();
      if (this.#place(copy, depth)) return;
    }
  }

  /** Put a copy where it is cheapest by prices, whatever has to make way. */
  #place(copy: number, depth: number): boolean {
    const [row, slot] = this.#rowAndSlot(copy);
    this.#held.add(copy);
    const from = this.#placing.places[copy]!;
    const columns = this.#columnsOf(row, slot).filter((column) => column !== from);
    const isPlaced =
      columns.some((column) => this.#land(copy, column)) ||
      (depth > 0 &&
        this.#likeliestFirst(row, slot, columns).some((column) => this.#isWorthALook() && this.#attempt(() => this.#placeAt(copy, column, depth - 1))));
    this.#held.delete(copy);
    return isPlaced;
  }

  /** In their order, but those last where room for as much, or half as much, could not be made before: hundreds of copies may be missing for one reason. */
  #likeliestFirst(row: number, slot: number, columns: readonly number[]): number[] {
    const { count } = this.#placing.prepared.problem.targets;
    const isHopeless = (column: number): boolean =>
      orderOfRoom.some((resource) => this.#lacking(row, slot, column, resource) >= this.#hopeless[resource * count + column]! / 2);
    const hopeless = new Set(columns.filter(isHopeless));
    return [...columns.filter((column) => !hopeless.has(column)), ...hopeless];
  }

  #placeAt(copy: number, column: number, depth: number): boolean {
    const [row, slot] = this.#rowAndSlot(copy);
    if (!mayBeAt(this.#placing, row, slot, column)) {
      const sibling = this.#siblingIn(row, slot, column);
      if (sibling === -1 || this.#held.has(sibling)) return false;
      const from = this.#placing.places[sibling]!;
      this.#put(sibling, -1);
      if (!this.#makeRoom(row, slot, column, depth) || !this.#land(copy, column)) return false;
      return this.#place(sibling, depth) && this.#placing.places[sibling] !== from;
    }
    return this.#makeRoom(row, slot, column, depth) && this.#land(copy, column);
  }

  /** How much of a resource is missing for a copy in a column, 0 or less where there is enough. */
  #lacking(row: number, slot: number, column: number, resource: number): number {
    const { prepared, used } = this.#placing;
    const amount = amountOf(prepared.problem, row, slot, column, resource);
    const at = resource * prepared.problem.targets.count + column;
    return amount === 0 ? 0 : used[at]! + amount - prepared.limits[at]!;
  }

  /** Others leave the column until the copy fits. */
  #makeRoom(row: number, slot: number, column: number, depth: number): boolean {
    const { problem, limits } = this.#placing.prepared;
    for (const resource of orderOfRoom) {
      const at = resource * problem.targets.count + column;
      const lacks = (): number => this.#lacking(row, slot, column, resource);
      const lacking = lacks();
      if (amountOf(problem, row, slot, column, resource) > limits[at]!) return false;
      if (lacking <= 0) continue;
      const stuck = this.#leave(row, column, resource, lacks);
      const large = stuck.filter((copy) => this.#amount(copy, column, resource) >= lacks()).slice(0, mostTried[depth]);
      for (const copy of large) {
        if (lacks() <= 0) break;
        if (depth > 0 && this.#isWorthALook()) this.#attempt(() => this.#place(copy, depth - 1));
      }
      const isMade = lacks() <= 0;
      this.#hopeless[at] = isMade ? Infinity : lacking;
      if (!isMade) return false;
    }
    return true;
  }

  /** Copies leave for places with room until nothing lacks, those first that lose least for what they take up. @returns those that have nowhere to go, the smallest first */
  #leave(row: number, column: number, resource: number, lacks: () => number): number[] {
    const stuck: number[] = [];
    const movable: number[] = [];
    const regrets: number[] = [];
    for (const copy of this.#candidates(row, column, resource, lacks())) {
      const amount = this.#amount(copy, column, resource);
      const to = this.#detour(copy);
      if (to.column === -1) stuck.push(copy);
      else {
        movable.push(copy);
        // One that is enough alone, before several that are not.
        regrets.push(to.regret / Math.min(amount, lacks()));
      }
    }
    for (const one of orderOf(regrets)) {
      if (lacks() <= 0) break;
      const to = this.#detour(movable[one]!);
      if (to.column !== -1) this.#put(movable[one]!, to.column);
    }
    return stuck.sort((a, b) => this.#amount(a, column, resource) - this.#amount(b, column, resource) || a - b);
  }

  /** Copies of a column that may make way for a row: the smallest that is enough first, then the largest that is not. */
  #candidates(row: number, column: number, resource: number, lacking: number): number[] {
    const { width } = this.#placing.prepared;
    const found: number[] = [];
    for (const copy of this.#residents.nearest(column, resource, lacking)) {
      if (this.#held.has(copy) || Math.floor(copy / width) === row) continue;
      found.push(copy);
      if (found.length === mostCandidates) break;
    }
    return found;
  }

  #detour(copy: number): { column: number; regret: number } {
    const [row, slot] = this.#rowAndSlot(copy);
    const { column, cost } = detour(this.#placing, this.#prices, row, slot);
    return { column, regret: cost - costHere(this.#placing, this.#prices, row, slot) };
  }

  /** Columns that the rule allows for a copy, the cheapest first. */
  #columnsOf(row: number, slot: number): number[] {
    const { members, problem } = this.#placing.prepared;
    this.#costs.fill(row);
    const paid = isPrimary(problem, row, slot) ? this.#costs.paidPrimary : this.#costs.paidCopy;
    const [from, end] = membersOf(this.#placing.prepared, row);
    const costs = new Map([...members.subarray(from, end)].filter((column) => paid[column]! < Infinity).map((column) => [column, paid[column]!]));
    return [...costs.keys()].sort((a, b) => costs.get(a)! - costs.get(b)! || a - b);
  }

  /** The other copy of a dataset in the domain of a column; −1 for none. */
  #siblingIn(row: number, slot: number, column: number): number {
    const { width, domainOf, problem } = this.#placing.prepared;
    const at = problem.datasets.rule[row]! * problem.targets.count;
    for (let other = 0; other < problem.datasets.copies[row]!; other++) {
      const place = this.#placing.places[row * width + other]!;
      if (other !== slot && place !== -1 && domainOf[at + place] === domainOf[at + column]) return row * width + other;
    }
    return -1;
  }

  #amount(copy: number, column: number, resource: number): number {
    const [row, slot] = this.#rowAndSlot(copy);
    return amountOf(this.#placing.prepared.problem, row, slot, column, resource);
  }

  #rowAndSlot(copy: number): readonly [number, number] {
    const { width } = this.#placing.prepared;
    return [Math.floor(copy / width), copy % width];
  }

  #isWorthALook(): boolean {
    return this.#looks++ < mostLooks && !this.#isOver();
  }

  /** Put a copy where it fits; what made way for it may have brought another copy of its dataset there. */
  #land(copy: number, column: number): boolean {
    const [row, slot] = this.#rowAndSlot(copy);
    return mayBeAt(this.#placing, row, slot, column) && hasRoom(this.#placing, row, slot, column) && this.#put(copy, column);
  }

  #put(copy: number, column: number): true {
    this.#done.push({ copy, column: this.#placing.places[copy]! });
    this.#go(copy, column);
    return true;
  }

  #go(copy: number, column: number): void {
    put(this.#placing, ...this.#rowAndSlot(copy), column);
    if (column !== -1) this.#residents.came(copy, column);
  }

  /** @returns whether it came off; else all that it did is undone */
  #attempt(work: () => boolean): boolean {
    const from = this.#done.length;
    if (work()) return true;
    while (this.#done.length > from) {
      const { copy, column } = this.#done.pop()!;
      this.#go(copy, column);
    }
    return false;
  }
}
