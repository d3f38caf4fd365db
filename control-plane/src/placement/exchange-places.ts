import { resources } from './assignment.ts';
import { amountOf, isPrimary } from './prepare-assignment.ts';
import { mayBeAt, membersOf, type Placing, put, type Repair } from './repair-places.ts';
import { RowCosts } from './row-costs.ts';
import { WayMoves } from './way-moves.ts';

/**
 * Moves that lose more than that share of the usual cost are not remembered, and so many times it from where a unit is worth nothing, or room is lacking: from
 * there, few are close, and what finds no way here takes a detour that costs more. Where datasets are few, all are.
 */
const dearest = 0.002;
const farther = 25;
const fewRows = 5_000;
/** A push ends where the next move loses so much more than the first: another way may be cheaper by then. */
const batch = 1e-5;
/** Ways that lose no more than the cheapest and so much of the usual cost are taken before ways are looked for anew (a tenth of it takes a third more looks, for no less cost). */
const close = 1e-3;
/** Moves that are passed over for one that is small enough. */
const mostSkipped = 64;
/** So much of a copy may be left at a target: to fill it up costs more on the ways that are left than it does by single copies after (a fiftieth: farther from the bound on most instances). */
const grainsLeft = 0.05;
/** Share of what a target has. */
const worthwhile = 1e-4;

/**
 * Bring what a resource is asked for and what there is of it together: copies go from targets that are too full, and from those where a unit is worth nothing,
 * to targets where something is left that is worth something, on the way that loses least by prices, also by others: one copy from A to B and another from B
 * to C (successive shortest paths on the targets, Busacker and Gowen 1960; copies differ in size, so it is nearly full in the end, not exactly).
 */
export function exchange({ placing, prices, some, isOver }: Repair, resource: number): void {
  if (!isWorthIt(placing, prices, resource)) return;
  const ways = new Ways(placing, prices, some, resource);
  while (!isOver() && ways.push()) {}
}

/** Whether anything is too full, or not full that is worth something. */
function isWorthIt({ prepared, used }: Placing, prices: Float64Array, resource: number): boolean {
  const { limits, problem } = prepared;
  for (let at = resource * problem.targets.count; at < (resource + 1) * problem.targets.count; at++) {
    const left = limits[at]! - used[at]!;
    if (left < 0 || (prices[at]! > 0 && left > worthwhile * limits[at]!)) return true;
  }
  return false;
}

/**
 * The targets and the ways between them. One more node, the last, stands for no target: copies that are where they stay take up nothing there, so they come
 * from it and go to it.
 */
class Ways {
  readonly #placing: Placing;
  readonly #prices: Float64Array;
  readonly #resource: number;
  readonly #nodes: number;
  /** Moves from one node to another on the way from · nodes + to. */
  readonly #moves: WayMoves;
  /** What the next move of each loses. */
  readonly #next: Float64Array;
  readonly #unit: number;
  readonly #distance: Float64Array;
  readonly #before: Int32Array;
  /** Where moves lead to at all: node n has the ends reachable[firstOf[n]] to reachable[firstOf[n + 1]]. */
  readonly #reachable: Int16Array;
  readonly #firstOf: Int32Array;
  /** Nodes with a distance that may still become shorter. */
  readonly #open: Int16Array;
  /** Whether too much is asked for anywhere. */
  #isTooFull = false;
  /** Of the prices of what the ways are for. */
  readonly #highest: number;
  /** What one copy takes up in the middle. */
  readonly #grain: number;
  /** What is left at a target is worth a way if it is more. */
  readonly #least: number;

  constructor(placing: Placing, prices: Float64Array, rows: Int32Array, resource: number) {
    const { problem, usual } = placing.prepared;
    this.#placing = placing;
    this.#prices = prices;
    this.#resource = resource;
    this.#nodes = problem.targets.count + 1;
    this.#unit = usual[resource]!;
    this.#moves = movesOf(placing, prices, rows, resource);
    const amounts = [problem.datasets.bytes, problem.datasets.readBytes, problem.datasets.requests][resource]!;
    this.#grain = rows.reduce((sum, row) => sum + amounts[row]!, 0) / rows.length;
    this.#least = grainsLeft * this.#grain;
    this.#next = Float64Array.from(this.#moves.cheapest);
    this.#distance = new Float64Array(this.#nodes);
    this.#before = new Int32Array(this.#nodes);
    this.#open = new Int16Array(this.#nodes);
    [this.#reachable, this.#firstOf] = endsOf(this.#moves, this.#nodes);
    this.#highest = prices.subarray(resource * problem.targets.count, (resource + 1) * problem.targets.count).reduce((most, price) => Math.max(most, price), 0);
  }

  /** The ways that are worth most, as much as is cheap on them. @returns whether there was one */
  push(): boolean {
    const ends = this.#cheapestWays();
    const most = (ends[0]?.loss ?? 0) + close * this.#unit;
    for (const { end } of ends) {
      const way = [end];
      while (this.#before[way[0]!]! !== -1) way.unshift(this.#before[way[0]!]!);
      // What was moved on other ways made this one no shorter, so it is still the shortest to its end if it is as short as it was.
      while (this.#lossOn(way) <= most && this.#isSource(way[0]!) && this.#left(end) > this.#least) this.#pushOn(way);
    }
    return ends.length > 0;
  }

  #pushOn(way: readonly number[]): void {
    const excess = -this.#left(way[0]!);
    const room = this.#left(way.at(-1)!);
    let amount = excess > 0 ? Math.min(excess, room) : room;
    // From the end, where there is room.
    for (let at = way.length - 1; at > 0 && amount > 0; at--)
      amount = this.#move(way[at - 1]!, way[at]!, amount, at === way.length - 1 ? room : 2 * amount + this.#grain);
  }

  #lossOn(way: readonly number[]): number {
    let loss = -this.#price(way.at(-1)!);
    for (let at = 1; at < way.length; at++) loss += this.#length(way[at - 1]!, way[at]!);
    return loss;
  }

  #length(from: number, to: number): number {
    return Math.max(0, this.#next[from * this.#nodes + to]!) + 1e-9 * this.#unit;
  }

  /** What is left of the resource at a node, below 0 where too much is asked of it. */
  #left(node: number): number {
    if (node === this.#nodes - 1) return Infinity;
    const at = this.#resource * (this.#nodes - 1) + node;
    return this.#placing.prepared.limits[at]! - this.#placing.used[at]!;
  }

  #price(node: number): number {
    return node === this.#nodes - 1 ? 0 : this.#prices[this.#resource * (this.#nodes - 1) + node]!;
  }

  /** Whether ways begin there: where too much is asked for, and once that is nowhere, where a unit is worth nothing. */
  #isSource(node: number): boolean {
    return this.#isTooFull ? this.#left(node) < 0 : this.#price(node) === 0;
  }

  /** The ends of the ways that are worth most, and not much less than the best of them, that first (Dijkstra 1959; few nodes are open at a time, so without a heap). */
  #cheapestWays(): { readonly end: number; readonly loss: number }[] {
    const distance = this.#distance;
    const open = this.#open;
    let count = this.#openSources();
    const ends: { end: number; loss: number }[] = [];
    let cheapest = this.#isTooFull ? Infinity : 0;
    while (count > 0) {
      let nearest = 0;
      for (let at = 1; at < count; at++) if (distance[open[at]!]! < distance[open[nearest]!]!) nearest = at;
      const from = open[nearest]!;
      const near = distance[from]!;
      // What is farther is worth less than the best, at whatever price.
      if (near - this.#highest >= cheapest) break;
      open[nearest] = open[--count]!;
      const loss = near - this.#price(from);
      if ((this.#isTooFull || loss < 0) && this.#before[from] !== -1 && this.#left(from) > this.#least) {
        ends.push({ end: from, loss });
        cheapest = Math.min(cheapest, loss);
      }
      for (let at = this.#firstOf[from]!; at < this.#firstOf[from + 1]!; at++) {
        const to = this.#reachable[at]!;
        const length = near + this.#length(from, to);
        if (length >= distance[to]!) continue;
        if (distance[to] === Infinity) open[count++] = to;
        distance[to] = length;
        this.#before[to] = from;
      }
    }
    return ends.filter(({ loss }) => loss <= cheapest + close * this.#unit).sort((a, b) => a.loss - b.loss);
  }

  /** @returns how many nodes ways begin at */
  #openSources(): number {
    this.#isTooFull = false;
    for (let node = 0; node < this.#nodes; node++) if (this.#left(node) < 0) this.#isTooFull = true;
    this.#distance.fill(Infinity);
    this.#before.fill(-1);
    let count = 0;
    for (let node = 0; node < this.#nodes; node++) {
      if (!this.#isSource(node)) continue;
      this.#distance[node] = 0;
      this.#open[count++] = node;
    }
    return count;
  }

  /** @returns how much went from one node to the other: at most so much to the end of a way, elsewhere one copy may be larger, for another target takes it on */
  #move(from: number, to: number, amount: number, most: number): number {
    const at = from * this.#nodes + to;
    const { regrets, copies, places: froms, columns } = this.#moves;
    const queue = this.#moves.inOrder(at);
    const { prepared, places } = this.#placing;
    const { problem, width } = prepared;
    const limit = Math.max(0, this.#next[at]!) + batch * this.#unit;
    let moved = 0;
    let skipped = 0;
    for (let place = queue.head; skipped < mostSkipped && moved < amount; place++) {
      const one = queue.at(place);
      if (one === -1 || (regrets[one]! > limit && moved > 0)) break;
      const copy = copies[one]!;
      const row = Math.floor(copy / width);
      const slot = copy % width;
      const there = columns[one]!;
      if (places[copy] !== froms[one] || !mayBeAt(this.#placing, row, slot, there) || !this.#fitsBeside(row, slot, there)) {
        if (place === queue.head) queue.head++;
        continue;
      }
      const own = this.#resource === 0 ? problem.datasets.bytes[row]! : amountOf(problem, row, slot, there, this.#resource);
      if (moved + own > most) {
        skipped++;
        continue;
      }
      put(this.#placing, row, slot, there);
      moved += own;
      if (place === queue.head) queue.head++;
    }
    const next = moved === 0 ? -1 : queue.at(queue.head);
    this.#next[at] = next === -1 ? Infinity : regrets[next]!;
    return moved;
  }

  /** Whether a primary can be served there, the resource apart. */
  #fitsBeside(row: number, slot: number, column: number): boolean {
    const { problem, limits } = this.#placing.prepared;
    if (!isPrimary(problem, row, slot)) return true;
    for (let resource = 1; resource < resources.length; resource++) {
      const at = resource * problem.targets.count + column;
      if (resource !== this.#resource && this.#placing.used[at]! + amountOf(problem, row, slot, column, resource) > limits[at]!) return false;
    }
    return true;
  }
}

function endsOf({ cheapest }: WayMoves, nodes: number): [Int16Array, Int32Array] {
  const ends: number[] = [];
  const firstOf = new Int32Array(nodes + 1);
  for (let from = 0; from < nodes; from++) {
    for (let to = 0; to < nodes; to++) if (cheapest[from * nodes + to]! < Infinity) ends.push(to);
    firstOf[from + 1] = ends.length;
  }
  return [Int16Array.from(ends), firstOf];
}

/**
 * What can be read at targets is settled before room is: what a primary leaves of it then, nobody else takes, so it is worth nothing to him. With few datasets
 * it is not settled so well (1,000 × 12 came to 0.27 % this way, to 0.03 % without).
 */
function worthWhileMoving(prices: Float64Array, resource: number, targets: number): Float64Array {
  return resource > 0 ? prices : prices.map((price, at) => (at < targets ? price : 0));
}

function movesOf(placing: Placing, prices: Float64Array, rows: Int32Array, resource: number): WayMoves {
  const { prepared, places } = placing;
  const { problem, width, usual } = prepared;
  const { datasets } = problem;
  const nodes = problem.targets.count + 1;
  const ground = nodes - 1;
  const isFew = rows.length <= fewRows;
  const costs = new RowCosts(prepared, isFew ? prices : worthWhileMoving(prices, resource, ground));
  const most = isFew ? Infinity : dearest * usual[resource]!;
  const moves = new WayMoves(nodes * nodes);
  const amounts = [datasets.bytes, datasets.readBytes, datasets.requests][resource]!;
  for (const row of rows) {
    const slots = resource === 0 ? datasets.copies[row]! : datasets.hasPrimary[row]!;
    const amount = amounts[row]!;
    if (slots === 0 || amount <= 0) continue;
    costs.fill(row);
    const [from, end] = membersOf(prepared, row);
    for (let slot = 0; slot < slots; slot++) {
      const here = places[row * width + slot]!;
      if (here === -1) continue;
      const paid = isPrimary(problem, row, slot) ? costs.paidPrimary : costs.paidCopy;
      const fromNode = resource === 0 && costs.takes[here] === 0 ? ground : here;
      const isFree = fromNode === ground || prices[resource * ground + here] === 0 || (resource === 0 && placing.used[here]! > prepared.limits[here]!);
      const limit = paid[here]! + (isFree ? farther : 1) * most * amount;
      for (let member = from; member < end; member++) {
        const there = prepared.members[member]!;
        if (there === here || !(paid[there]! <= limit) || paid[there] === Infinity || !mayBeAt(placing, row, slot, there)) continue;
        const toNode = resource === 0 && costs.takes[there] === 0 ? ground : there;
        if (fromNode !== toNode) moves.add(fromNode * nodes + toNode, (paid[there]! - paid[here]!) / amount, row * width + slot, here, there);
      }
    }
  }
  return moves;
}
