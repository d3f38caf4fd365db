import type { Random } from '@data-in-motion/shared/random';
import { type Ascended, ascendPrices } from './ascend-prices.ts';
import type { Solve } from './place-priced.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';

/** Prices are found on few datasets first, while whims are strong and the answer is coarse, then on more of them. */
const coarse = { rowsPerTarget: 85, mostRows: 6_000, firstWhims: 0.5, lastWhims: 0.01, misfit: 0.05, passes: 60 } as const;
const fine = { rowsPerTarget: 680, mostRows: 24_000, firstWhims: 0.01, misfit: 0.01, passes: 60 } as const;

/** Prices from samples of the datasets. */
export function firstPrices({ prepared, pass, samples, whims, isOver }: Solve): Ascended {
  const { limits, problem } = prepared;
  const ascent = { prepared, pass, asked: null, far: Infinity, stiffness: 0, isOver };
  const few = samples.draw(Math.min(coarse.mostRows, coarse.rowsPerTarget * problem.targets.count));
  const { prices } = ascendPrices({ ...ascent, ...coarse, ...few, prices: new Float64Array(limits.length) });
  return ascendPrices({ ...ascent, ...fine, ...samples.fine, prices, lastWhims: whims });
}

/** Some of the datasets, which stand for all. */
export interface Sample {
  /** Null: all. */
  readonly rows: Int32Array | null;
  /** For how many like it each stands; null for itself only. */
  readonly weights: Float64Array | null;
}

/** Where fewer datasets of a sample stand for each target, whims must be so much stronger for them to tell how demand bends. */
const rowsToTell = 480;
/** One in so many tells well enough which datasets a small change of prices moves. */
const rowsForOne = 10;
/** A sample that is not so many times as large is not worth another. */
const worthMore = 2;

/** Samples of the datasets of a problem, drawn when they are asked for: a solve from an earlier answer often needs none. */
export class Samples {
  readonly #prepared: PreparedAssignment;
  readonly #random: Random;
  readonly #fineSize: number;
  #fine: Sample | null = null;
  #correcting: Sample | null = null;

  constructor(prepared: PreparedAssignment, random: Random) {
    this.#prepared = prepared;
    this.#random = random;
    this.#fineSize = Math.min(fine.mostRows, fine.rowsPerTarget * prepared.problem.targets.count);
  }

  /** How many times as strong as usual whims have to be for the datasets of `fine` to tell how demand bends. */
  get stronger(): number {
    return this.#isOfAll ? 1 : Math.max(1, (rowsToTell * this.#prepared.problem.targets.count) / this.#fineSize) ** 2;
  }

  /** The datasets that tell how demand bends; all where they are not many more. */
  get fine(): Sample {
    this.#fine ??= this.#isOfAll ? { rows: null, weights: null } : this.draw(this.#fineSize);
    return this.#fine;
  }

  /**
   * The datasets that prices are corrected on after a look at all, more of them where there are very many: few move by then, and what is asked for too much is
   * these few (1,000,000 × 50: 3.1 % too much at the first look, 0.7 % after five corrections on the datasets above, 0.2 % after four on one in ten).
   */
  get correcting(): Sample {
    const size = Math.ceil(this.#prepared.problem.datasets.count / rowsForOne);
    this.#correcting ??= size < worthMore * this.#fineSize ? this.fine : this.draw(size);
    return this.#correcting;
  }

  draw(size: number): Sample {
    return drawSample(this.#prepared, this.#random, size);
  }

  get #isOfAll(): boolean {
    return this.#prepared.problem.datasets.count <= 2 * this.#fineSize;
  }
}

/**
 * Datasets that stand for all, drawn by what they ask for and evenly over the rules: each stands for as much, so that the load of a target is guessed from
 * a few thousand as well as from four times as many drawn without regard to size (log-normal sizes). Few datasets stand for themselves. Where reads bind, a
 * sample by bytes alone tells little of them (100,000 × 50 at 1.2 times the reads: a re-solve took half as long again).
 */
export function drawSample(prepared: PreparedAssignment, random: Random, size: number): Sample {
  const { rule, count } = prepared.problem.datasets;
  if (count <= size) return { rows: null, weights: null };
  const asked = askedBytes(prepared);
  const stretch = asked.reduce((sum, bytes) => sum + bytes, 0) / size;
  if (stretch === 0) return { rows: null, weights: null };
  const rows: number[] = [];
  const weights: number[] = [];
  let ahead = stretch * random.next();
  for (const row of byRule(rule, prepared.problem.rules.length)) {
    const own = asked[row]!;
    let drawn = 0;
    for (; ahead < own; ahead += stretch) drawn++;
    ahead -= own;
    if (drawn === 0) continue;
    rows.push(row);
    weights.push((drawn * stretch) / own);
  }
  return { rows: Int32Array.from(rows), weights: Float64Array.from(weights) };
}

/** What each dataset asks for, as so many bytes as it usually costs. Of what all ask for less of than there is it tells that much less, squared: few prices are for it. */
function askedBytes({ problem, limits, usual }: PreparedAssignment): Float64Array {
  const { count, bytes, copies, readBytes, requests, hasPrimary } = problem.datasets;
  const { count: targets } = problem.targets;
  const bytesOf = (resource: number, amounts: Float64Array): number => {
    const wanted = amounts.reduce((sum, amount, row) => sum + hasPrimary[row]! * amount, 0);
    const there = limits.subarray(resource * targets, (resource + 1) * targets).reduce((sum, limit) => sum + limit, 0);
    return usual[0]! > 0 && wanted > 0 ? (Math.min(1, wanted / there) ** 2 * usual[resource]!) / usual[0]! : 0;
  };
  const [ofRead, ofRequest] = [bytesOf(1, readBytes), bytesOf(2, requests)];
  const asked = new Float64Array(count);
  for (let row = 0; row < count; row++) asked[row] = bytes[row]! * copies[row]! + hasPrimary[row]! * (readBytes[row]! * ofRead + requests[row]! * ofRequest);
  return asked;
}

function byRule(rule: Uint16Array, rules: number): Int32Array {
  const next = new Int32Array(rules + 1);
  for (const one of rule) next[one + 1]!++;
  for (let one = 0; one < rules; one++) next[one + 1]! += next[one]!;
  const rows = new Int32Array(rule.length);
  for (let row = 0; row < rule.length; row++) rows[next[rule[row]!]!++] = row;
  return rows;
}
