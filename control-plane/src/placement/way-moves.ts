/** Moves of copies on the ways between targets. Those of a way are put in order as far as they are wanted: most never are. */
export class WayMoves {
  /** What each loses by prices, for each unit of the resource. */
  regrets = new Float64Array(firstLength);
  /** row · width + slot, the column where it is, and the one where it goes. */
  copies = new Int32Array(firstLength);
  places = new Int16Array(firstLength);
  columns = new Int16Array(firstLength);
  /** Of each way, what its best move loses; Infinity where it has none. */
  readonly cheapest: Float64Array;
  /** The last move of each way, and of each move the one before it on its way; −1: none. */
  readonly #last: Int32Array;
  #before = new Int32Array(firstLength);
  #count = 0;
  readonly #queues = new Map<number, MoveQueue>();

  constructor(ways: number) {
    this.cheapest = new Float64Array(ways).fill(Infinity);
    this.#last = new Int32Array(ways).fill(-1);
  }

  add(way: number, regret: number, copy: number, place: number, column: number): void {
    if (this.#count === this.copies.length) this.#grow();
    const one = this.#count++;
    this.regrets[one] = regret;
    this.copies[one] = copy;
    this.places[one] = place;
    this.columns[one] = column;
    this.#before[one] = this.#last[way]!;
    this.#last[way] = one;
    if (regret < this.cheapest[way]!) this.cheapest[way] = regret;
  }

  /** Once all are added. */
  inOrder(way: number): MoveQueue {
    const known = this.#queues.get(way);
    if (known !== undefined) return known;
    let count = 0;
    for (let one = this.#last[way]!; one !== -1; one = this.#before[one]!) count++;
    const moves = new Int32Array(count);
    for (let one = this.#last[way]!; one !== -1; one = this.#before[one]!) moves[--count] = one;
    const queue = new MoveQueue(moves, this.regrets);
    this.#queues.set(way, queue);
    return queue;
  }

  #grow(): void {
    // What is too short is given back at once.
    const twice = ({ buffer }: { buffer: ArrayBuffer }): ArrayBuffer => buffer.transfer(2 * buffer.byteLength);
    this.regrets = new Float64Array(twice(this.regrets));
    this.copies = new Int32Array(twice(this.copies));
    this.places = new Int16Array(twice(this.places));
    this.columns = new Int16Array(twice(this.columns));
    this.#before = new Int32Array(twice(this.#before));
  }
}

const firstLength = 4_096;

/** The moves of one way, those first that lose least; of two that lose as much the one that was added first. A heap of which only the top is taken. */
class MoveQueue {
  /** Those before it are gone. */
  head = 0;
  readonly #heap: Int32Array;
  readonly #regrets: Float64Array;
  #left: number;
  readonly #taken: number[] = [];

  constructor(moves: Int32Array, regrets: Float64Array) {
    this.#heap = moves;
    this.#regrets = regrets;
    this.#left = moves.length;
    for (let at = (moves.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** @returns −1 beyond the last */
  at(place: number): number {
    while (this.#taken.length <= place && this.#left > 0) {
      this.#taken.push(this.#heap[0]!);
      this.#heap[0] = this.#heap[--this.#left]!;
      this.#sink(0);
    }
    return this.#taken[place] ?? -1;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const one = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#left) break;
      if (child + 1 < this.#left && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#isBefore(heap[child]!, one)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = one;
  }

  #isBefore(one: number, other: number): boolean {
    const difference = this.#regrets[one]! - this.#regrets[other]!;
    return difference < 0 || (difference === 0 && one < other);
  }
}
