import { Worker } from 'node:worker_threads';
import { type AssignedDatasets, resources } from '../placement/assignment.ts';
import { everyRow } from '../placement/every-row.ts';
import type { PreparedAssignment } from '../placement/prepare-assignment.ts';
import { type Look, type Pass, PricePass } from '../placement/price-pass.ts';
import { shared, sharedFloats, sharedInts, sharedShorts } from '../placement/shared-numbers.ts';
import type { Answers, ToPassWorker } from './pass-worker.ts';

/** From so many pairs of dataset and target on a second thread is worth its start and its memory. */
const worthPairing = 2_000_000;

/** A pass over a problem, by two threads where it is large. */
export function pairedWhereLarge(prepared: PreparedAssignment): Pass {
  const { datasets, targets } = prepared.problem;
  return datasets.count * targets.count < worthPairing ? new PricePass(prepared) : new PairedPass(prepared);
}

/** The same rows go to the same thread at each look, which keeps what it found out about them. */
const halfOf = (row: number): number => row & 1;

/** So long a look of the other thread may take: it has as much to do as this one. */
const longestMs = 120_000;

/** Rows of a list for one of the two threads. */
interface Half {
  readonly rows: Int32Array;
  readonly weights: Float64Array | null;
}

/**
 * A pass half of whose rows are looked at by another thread, since no dataset knows of another. The places are those that one thread finds, the sums too but
 * for rounding (100,000 × 50 takes 0.7 of the time on two cores, with 1.4 times the work). This thread waits for the other with all else standing still, so it is one that solves and does nothing else.
 */
export class PairedPass implements Pass {
  readonly #own: PricePass;
  readonly #answers: Answers;
  readonly #prices: Float64Array;
  /** Where the other thread notes the places and values of its rows. */
  readonly #places: Int16Array;
  readonly #values: Float64Array;
  /** Of each list that was looked at, null for all: this thread's half and the other's. */
  readonly #halves = new Map<Int32Array | null, readonly [Half, Half]>();
  readonly #rows: number;
  readonly #width: number;
  #looks = 0;

  constructor(prepared: PreparedAssignment) {
    const { problem, limits } = prepared;
    this.#own = new PricePass(prepared);
    this.#rows = problem.datasets.count;
    this.#prices = sharedFloats(limits.length);
    this.#places = sharedShorts(this.#rows * prepared.width).fill(-1);
    this.#values = sharedFloats(this.#rows);
    this.#width = prepared.width;
    this.#answers = {
      done: sharedInts(1),
      used: sharedFloats(limits.length),
      bends: sharedFloats((resources.length * problem.targets.count) ** 2),
      sums: sharedFloats(3),
    };
    tell({ kind: 'problem', problem: { ...problem, datasets: inSharedMemory(problem.datasets) }, answers: this.#answers });
  }

  get used(): Float64Array {
    return this.#own.used;
  }

  get bends(): Float64Array {
    return this.#own.bends;
  }

  get dollars(): number {
    return this.#own.dollars;
  }

  get chosen(): number {
    return this.#own.chosen;
  }

  get magnitude(): number {
    return this.#own.magnitude;
  }

  run(prices: Float64Array, look: Look): void {
    const [own, other] = this.#halvesOf(look);
    const number = ++this.#looks;
    this.#prices.set(prices);
    tell({ kind: 'look', number, prices: this.#prices, look: { ...look, ...other, places: look.places && this.#places, values: look.values && this.#values } });
    this.#own.run(prices, { ...look, ...own });
    this.#await(number);
    const { used, bends, sums } = this.#answers;
    add(this.#own.used, used);
    if (look.window > 0) add(this.#own.bends, bends);
    this.#own.dollars += sums[0]!;
    this.#own.chosen += sums[1]!;
    this.#own.magnitude += sums[2]!;
    this.#take(other.rows, look);
  }

  #take(rows: Int32Array, { places, values }: Look): void {
    const width = this.#width;
    for (const row of rows) {
      if (values !== null) values[row] = this.#values[row]!;
      if (places !== null) for (let at = row * width; at < (row + 1) * width; at++) places[at] = this.#places[at]!;
    }
  }

  end(): void {
    tell({ kind: 'end' });
  }

  #await(number: number): void {
    const { done } = this.#answers;
    for (let seen = Atomics.load(done, 0); seen !== number; seen = Atomics.load(done, 0)) {
      if (seen === -number) throw new Error('the thread that looks at half of the datasets failed');
      if (Atomics.wait(done, 0, seen, longestMs) === 'timed-out')
        throw new Error(`the thread that looks at half of the datasets gave no answer for ${longestMs / 1_000} s`);
    }
  }

  #halvesOf({ rows, weights }: Look): readonly [Half, Half] {
    const known = this.#halves.get(rows);
    if (known !== undefined) return known;
    const all = rows ?? everyRow(this.#rows);
    const half = (which: 0 | 1): Half => {
      let count = 0;
      for (let at = 0; at < all.length; at++) if (halfOf(all[at]!) === which) count++;
      const [own, ofThem] = [sharedInts(count), weights === null ? null : sharedFloats(count)];
      let found = 0;
      for (let at = 0; at < all.length; at++) {
        if (halfOf(all[at]!) !== which) continue;
        own[found] = all[at]!;
        if (ofThem !== null) ofThem[found] = weights![at]!;
        found++;
      }
      return { rows: own, weights: ofThem };
    };
    const halves = [half(0), half(1)] as const;
    this.#halves.set(rows, halves);
    return halves;
  }
}

let worker: Worker | null = null;

/** Has the other thread ready by the time that a fleet of this size is looked at. */
export function prepareToPair(datasets: number, targets: number): void {
  if (datasets * targets >= worthPairing) theOther();
}

function tell(message: ToPassWorker): void {
  theOther().postMessage(message);
}

/** The thread is started by the first who needs it, stays, and ends with this one. */
function theOther(): Worker {
  if (worker !== null) return worker;
  // It makes hardly any objects.
  const started = new Worker(new URL('./pass-worker.ts', import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 2 } });
  started.unref();
  const gone = (): void => {
    if (worker === started) worker = null;
  };
  started.on('error', gone);
  started.on('exit', gone);
  worker = started;
  return started;
}

function inSharedMemory(datasets: AssignedDatasets): AssignedDatasets {
  return Object.fromEntries(
    Object.entries(datasets).map(([name, list]) => [name, typeof list === 'number' ? list : shared(list)]),
  ) as unknown as AssignedDatasets;
}

function add(to: Float64Array, more: Float64Array): void {
  for (let at = 0; at < to.length; at++) to[at]! += more[at]!;
}
