import { LookMemory, rowsOfBlock } from './look-memory.ts';
import { type PreparedAssignment, whimsOf } from './prepare-assignment.ts';
import { RowCandidates } from './row-candidates.ts';

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
  /** Whether they are looked at again soon: then what each may want is listed, which takes a quarter of a look. */
  readonly lists: boolean;
  /** `width` entries a dataset, to be filled in for these; null where nobody wants to know. */
  readonly places: Int16Array | null;
  /** What each of these pays at its best without whims, to be filled in; null where nobody wants to know. */
  readonly values: Float64Array | null;
}

/** A look at the datasets under prices, by one thread or several. */
export interface Pass extends Pick<PricePass, 'used' | 'bends' | 'dollars' | 'chosen' | 'magnitude' | 'run'> {
  /** No other look follows: what others keep for it is given back. */
  end?(): void;
}

/** Makes one for a problem. */
export type PassOver = (prepared: PreparedAssignment) => Pass;

/**
 * Every dataset at its cheapest places under prices: exact, since without limits no dataset knows of another. What costs more than leaving the copy out
 * is left out; what is larger than all the room of a target is not put there at any price.
 *
 * Rows are written to the memory of the compiled loop (`kernel/look-at-rows.ts`) a block at a time, and its answers read from there.
 */
export class PricePass {
  /** What the datasets pay, prices included; summed with compensation: a million small amounts would lose as much as the gap that is certified. */
  dollars = 0;
  /** What their places cost, prices included, without the whims by which they were chosen. */
  chosen = 0;
  /** The sum of the absolute amounts that were added up: what rounding is measured by. */
  magnitude = 0;
  readonly #prepared: PreparedAssignment;
  readonly #candidates: RowCandidates;
  readonly #memory: LookMemory;
  /** Rows of the block, and how much is special and near to them. */
  readonly #block = new Int32Array(rowsOfBlock);
  #rows = 0;
  #specials = 0;
  #nears = 0;
  /** So far lists may reach. */
  #mostListed = 0;

  constructor(prepared: PreparedAssignment) {
    this.#prepared = prepared;
    this.#candidates = new RowCandidates(prepared);
    this.#memory = new LookMemory(prepared);
  }

  /** What they take up of each resource at each target, resource after resource; until the next look. */
  get used(): Float64Array {
    return this.#memory.used;
  }

  /**
   * How demand for each resource of each target bends with prices, a square of them; until the next look. It is the second derivative of what datasets pay at
   * their best, which is piecewise linear, seen through a window. Each dataset whose second choice is within the window of its first adds the outer product of
   * what the change would move, divided by the window (semi-discrete transport has the same matrix of facets; Kitagawa, Mérigot and Thibert 2019). Prices are
   * shares of the usual costs, demand is dollars. Where many targets are alike, second choices are so close that only a narrow part of the window tells how
   * many there are at its edge; where few are, only the whole of it holds enough of them: so both count.
   */
  get bends(): Float64Array {
    return this.#memory.bends;
  }

  run(prices: Float64Array, look: Look): void {
    const { rows, weights, whims, window, lists } = look;
    this.#candidates.begin(prices, whims + window);
    this.#writePrices(prices);
    const [ofByte, ofRead, ofRequest] = this.#prepared.usual.map((usual, resource) => (this.#candidates.margins[resource]! + this.#candidates.need) * usual);
    this.#memory.set({ whims, bendWindow: window, marginOfByte: ofByte!, marginOfRead: ofRead!, marginOfRequest: ofRequest! });
    this.#memory.begin();
    this.magnitude = 0;
    const count = rows?.length ?? this.#prepared.problem.datasets.count;
    for (let at = 0; at < count; at++) {
      const row = rows === null ? at : rows[at]!;
      if (!this.#hasRoomFor(row)) this.#lookAtBlock(look);
      this.#write(row, weights === null ? 1 : weights[at]!, prices, lists);
    }
    this.#lookAtBlock(look);
    this.dollars = this.#memory.number('sum');
    this.chosen = this.#memory.number('chosen');
    this.magnitude += this.#memory.number('magnitude');
  }

  #writePrices(prices: Float64Array): void {
    const { targets } = this.#prepared.problem;
    const { floats, ints, at } = this.#memory;
    for (let column = 0; column < targets.count; column++) {
      const to = (at.columns + 64 * column) / 8;
      floats[to] = targets.holdPerByte[column]! + targets.arrivePerByte[column]! + prices[column]!;
      floats[to + 1] = targets.readPerByte[column]! + prices[targets.count + column]!;
      floats[to + 2] = targets.arrivePerObject[column]!;
      floats[to + 3] = targets.perRequest[column]! + prices[2 * targets.count + column]!;
      floats[to + 4] = targets.lost[column]!;
      ints[2 * to + 10] = whimsOf(column);
    }
  }

  #hasRoomFor(row: number): boolean {
    const { specialsFrom, nearFrom } = this.#prepared.problem.datasets;
    const { mostSpecials } = this.#memory;
    return (
      this.#rows < rowsOfBlock &&
      this.#specials + specialsFrom[row + 1]! - specialsFrom[row]! <= mostSpecials &&
      this.#nears + nearFrom[row + 1]! - nearFrom[row]! <= mostSpecials
    );
  }

  #write(row: number, weight: number, prices: Float64Array, lists: boolean): void {
    const { bytes, objects, atStake, readBytes, requests, arrive, copies, hasPrimary, missing } = this.#prepared.problem.datasets;
    const { floats, ints, at } = this.#memory;
    const number = (at.rows + 96 * this.#rows) / 8;
    floats[number] = bytes[row]!;
    floats[number + 1] = readBytes[row]!;
    floats[number + 2] = objects[row]!;
    floats[number + 3] = requests[row]!;
    floats[number + 4] = atStake[row]!;
    floats[number + 5] = arrive[row]!;
    floats[number + 6] = missing[row]!;
    floats[number + 7] = weight;
    const from = this.#candidates.from(row);
    const count = this.#candidates.end(row) - from;
    const toList = lists && this.#candidates.isToList(row);
    if (toList) this.#mostListed += count;
    this.#writeNear(row);
    this.#writeSpecials(row, prices);
    ints[2 * number + 16] = at.entries + 2 * from;
    ints[2 * number + 17] = count;
    ints[2 * number + 18] = copies[row]!;
    ints[2 * number + 19] = hasPrimary[row]! + (toList ? 2 : 0);
    ints[2 * number + 20] = whimsOf(row);
    ints[2 * number + 21] = this.#specials;
    ints[2 * number + 22] = this.#nears;
    this.#block[this.#rows++] = row;
  }

  #writeNear(row: number): void {
    const { copies, nearFrom, nearHome, nearCredit } = this.#prepared.problem.datasets;
    const { floats, ints, at } = this.#memory;
    const end = nearFrom[row + 1]!;
    for (let one = nearFrom[row]!; one < end; one++) {
      const number = (at.nears + 16 * this.#nears++) / 8;
      floats[number] = nearCredit[one]!;
      ints[2 * number + 2] = nearHome[one]!;
      this.magnitude += copies[row]! * nearCredit[one]!;
    }
  }

  /** What stays pays no room: it is credited what its room would cost. */
  #writeSpecials(row: number, prices: Float64Array): void {
    const { bytes, specialsFrom, specialColumn, copyCredit, primaryCredit, stays } = this.#prepared.problem.datasets;
    const { floats, ints, at } = this.#memory;
    const end = specialsFrom[row + 1]!;
    for (let one = specialsFrom[row]!; one < end; one++) {
      const column = specialColumn[one]!;
      const room = stays[one] === 1 ? bytes[row]! * prices[column]! : 0;
      const number = (at.specials + 24 * this.#specials++) / 8;
      floats[number] = copyCredit[one]! + room;
      floats[number + 1] = primaryCredit[one]! + room;
      ints[2 * number + 4] = column;
      ints[2 * number + 5] = stays[one]!;
      if (copyCredit[one]! !== -Infinity) this.magnitude += Math.abs(copyCredit[one]!) + room;
      if (primaryCredit[one]! !== -Infinity) this.magnitude += Math.abs(primaryCredit[one]!) + room;
    }
  }

  #lookAtBlock(look: Look): void {
    const { entries } = this.#memory.at;
    const count = this.#rows;
    const list = entries + 2 * this.#candidates.next;
    this.#memory.reach(list + 2 * this.#mostListed);
    this.#memory.look(count, look.values !== null, list);
    if (look.rows === null) this.#takeAll(look);
    else this.#take(look);
    if (this.#mostListed > 0) this.#takeLists();
    [this.#rows, this.#specials, this.#nears, this.#mostListed] = [0, 0, 0, 0];
  }

  /** The answers for rows that follow each other. */
  #takeAll({ places, values }: Look): void {
    const { floats, shorts, at } = this.#memory;
    const { width } = this.#prepared;
    const first = this.#block[0]!;
    values?.set(floats.subarray(at.values / 8, at.values / 8 + this.#rows), first);
    places?.set(shorts.subarray(at.places / 2, at.places / 2 + this.#rows * width), first * width);
  }

  #take({ places, values }: Look): void {
    const { floats, shorts, at } = this.#memory;
    const { width } = this.#prepared;
    for (let one = 0; one < this.#rows; one++) {
      const row = this.#block[one]!;
      if (values !== null) values[row] = floats[at.values / 8 + one]!;
      if (places !== null) for (let slot = 0; slot < width; slot++) places[row * width + slot] = shorts[at.places / 2 + one * width + slot]!;
    }
  }

  #takeLists(): void {
    const { ints, at } = this.#memory;
    for (let one = 0; one < this.#rows; one++) {
      const row = this.#block[one]!;
      if (this.#candidates.isToList(row)) this.#candidates.close(row, (ints[at.listEnds / 4 + one]! - at.entries) / 2);
    }
  }
}
