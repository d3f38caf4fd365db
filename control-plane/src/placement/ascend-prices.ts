import type { PreparedAssignment } from './prepare-assignment.ts';
import type { Pass } from './price-pass.ts';
import { solveSymmetric } from './solve-symmetric.ts';

/** What the prices are raised over, and how. */
export interface Ascent {
  readonly prepared: PreparedAssignment;
  readonly pass: Pass;
  /** As in `Look`. */
  readonly rows: Int32Array | null;
  readonly weights: Float64Array | null;
  /** What all ask for at the prices it begins with, so that what the rows say of it is corrected; null where the rows are to be believed. */
  readonly asked: Float64Array | null;
  /** Where it begins. */
  readonly prices: Float64Array;
  /** How much whims cost at first and at last, as a share of the usual cost. */
  readonly firstWhims: number;
  readonly lastWhims: number;
  /** Passes over the rows, at most; twice as many where it is still so far from what fits then, as a share of what is asked for. */
  readonly passes: number;
  readonly far: number;
  /** Enough when targets are together so little too full or too empty, as a share of what is asked of them. */
  readonly misfit: number;
  /** How stiff another ascent that ended near found targets to be: it is gone on with, a step softer; 0 where there was none. */
  readonly stiffness: number;
  readonly isOver: () => boolean;
}

interface Judged {
  readonly bound: number;
  /** Share of what is asked for that is too much, or too little where there is a price. */
  readonly misfit: number;
  /** Of each resource at each target, in dollars at the usual cost: how much more is asked for than there is. */
  readonly excess: Float64Array;
}
/** Where it ended, and how stiff targets are there. */
export type Ascended = Judged & { readonly prices: Float64Array; readonly stiffness: number };

/** A second choice tells how demand bends if it is closer than that share of the whims. */
const window = 0.5;
/** Of the whims, from one level to the next. */
const shrink = 0.5;
/** Enough before whims become weaker. */
const levelMisfit = 0.1;
/** Steps until whims become weaker anyway. */
const mostSteps = 6;
/**
 * Of what a target has: how much less is asked of it at the least when a price goes up by the usual cost, so that no step is wild where nothing seems to bend.
 * One of many targets bends where few see it, and bold steps get there sooner (at 100,000 × 50 with 0.75 to 0.95 of the work on three instances); with few targets, 0.2 and less
 * ended farther from the bound on some instances.
 */
function leastStiffnessOf(targets: number): number {
  return Math.max(0.1, Math.min(0.3, 4 / targets));
}
const stiffer = 10;
const softer = 3;
/** After a step that had to be shorter: the next is not as bold (without it, one of ten instances of 100,000 × 12 ended 0.15 % from its bound, with it none more than 0.003 %). */
const firmer = 4;
/** A step that would have to be shorter than that share is taken anew, stiffer. */
const shortest = 0.2;

/**
 * Raise the price of targets that are asked for more than they have, lower it where something is left: ascent on the Lagrangian dual
 *
 *     bound(prices) = Σ cheapest places under prices − Σ price · limit
 *
 * which is concave, and for any prices ≥ 0 no more than the optimum. Where targets are alike a price moves all of their load at once; whims of datasets about
 * targets make that smooth, strong ones first, weaker ones then from where these led (graduated). On each level steps are Newton's, by how demand bends with
 * all prices together: steps that look at one price at a time swing between targets that are alike, and creep where these have to move together (measured at
 * 100,000 × 12: 14 % too full or too empty after 300 of them, 1 % after 30 of these). A step that goes beyond the ridge is shortened, or taken anew with
 * targets made stiffer (Levenberg 1944, Marquardt 1963).
 */
export function ascendPrices(ascent: Ascent): Ascended {
  const climb = new Climb(ascent);
  let steps = 0;
  while (!climb.isOver()) {
    const isLast = climb.whims <= ascent.lastWhims;
    if (isLast && climb.here.misfit <= ascent.misfit) break;
    if (!isLast && (climb.here.misfit <= levelMisfit || steps === mostSteps)) {
      climb.weaken();
      steps = 0;
      continue;
    }
    climb.step();
    steps++;
  }
  return { ...climb.best, stiffness: climb.stiffness };
}

class Climb {
  readonly prices: Float64Array;
  here: Judged;
  /** Where the bound was highest under these whims. */
  best: Omit<Ascended, 'stiffness'>;
  whims: number;
  stiffness: number;
  readonly #ascent: Ascent;
  /** What there is of each resource at each target; with what rows ask for more than all do. */
  readonly #limits: Float64Array;
  #passes = 0;
  readonly #leastStiffness: number;
  readonly #bend: Float64Array;
  readonly #there: Float64Array;

  constructor(ascent: Ascent) {
    this.#ascent = ascent;
    this.prices = Float64Array.from(ascent.prices);
    this.#there = Float64Array.from(ascent.prices);
    this.#bend = new Float64Array(ascent.pass.bends.length);
    this.whims = ascent.firstWhims;
    this.#leastStiffness = leastStiffnessOf(ascent.prepared.problem.targets.count);
    this.stiffness = Math.max(this.#leastStiffness, ascent.stiffness / softer);
    const { pass, asked, prepared } = ascent;
    this.#run(this.prices);
    this.#limits = asked === null ? prepared.limits : prepared.limits.map((limit, at) => limit + pass.used[at]! - asked[at]!);
    this.here = judge(prepared, this.#limits, this.prices, pass);
    this.best = this.#present();
  }

  isOver(): boolean {
    const { passes, far } = this.#ascent;
    return this.#passes >= (this.best.misfit > far ? 2 * passes : passes) || this.#ascent.isOver();
  }

  weaken(): void {
    this.whims = Math.max(this.#ascent.lastWhims, this.whims * shrink);
    this.here = this.#look(this.prices);
    this.best = this.#present();
  }

  /** One step, as long or as stiff as it has to be. */
  step(): void {
    this.#bend.set(this.#ascent.pass.bends);
    for (; !this.isOver(); this.stiffness *= stiffer) {
      const moves = newtonStep(this.#ascent.prepared, this.#limits, this.prices, this.#bend, this.here.excess, this.stiffness);
      const less = this.#try(moves, 1);
      if (less === 1) this.stiffness = Math.max(this.#leastStiffness, this.stiffness / softer);
      if (less === 1) return;
      if (less >= shortest && this.#try(moves, less) === 1) {
        this.stiffness *= firmer;
        return;
      }
    }
  }

  /** @returns 1 if the step was taken, else the share of it that would lead to the ridge */
  #try(moves: Float64Array, share: number): number {
    const moved = go(this.#ascent.prepared, this.prices, moves, share, this.#there);
    const next = this.#look(this.#there);
    const before = dot(this.here.excess, moved);
    const after = dot(next.excess, moved);
    // Uphill, or the other way not steeper than half of what it was: else beyond the ridge.
    if (!(after >= -0.5 * before || next.bound > this.here.bound)) return Math.max(0, before / (before - after));
    this.prices.set(this.#there);
    this.here = next;
    if (next.bound > this.best.bound) this.best = this.#present();
    return 1;
  }

  #present(): Omit<Ascended, 'stiffness'> {
    return { prices: Float64Array.from(this.prices), ...this.here };
  }

  #look(prices: Float64Array): Judged {
    this.#run(prices);
    return judge(this.#ascent.prepared, this.#limits, prices, this.#ascent.pass);
  }

  #run(prices: Float64Array): void {
    const { pass, rows, weights } = this.#ascent;
    this.#passes++;
    pass.run(prices, { rows, weights, whims: this.whims, window: this.whims * window, lists: true, places: null, values: null });
  }
}

/** Newton's step for the prices that may move, as shares of the usual costs; a price that would fall below 0 becomes 0 and the others know of it. */
function newtonStep(
  { usual, problem }: PreparedAssignment,
  limits: Float64Array,
  prices: Float64Array,
  matrix: Float64Array,
  excess: Float64Array,
  stiffness: number,
): Float64Array {
  const size = limits.length;
  const targets = problem.targets.count;
  const ridge = new Float64Array(size);
  let free: number[] = [];
  for (let at = 0; at < size; at++) {
    const unit = usual[Math.floor(at / targets)]!;
    if (limits[at] === Infinity || unit === 0) continue;
    ridge[at] = 1e-4 * matrix[at * size + at]! + stiffness * Math.max(limits[at]! * unit, excess[at]!, 1);
    if (prices[at]! > 0 || excess[at]! > 0) free.push(at);
  }
  const fixed = new Float64Array(size);
  for (let round = 0; ; round++) {
    const right = Float64Array.from(excess);
    for (const [at, move] of fixed.entries()) if (move !== 0) for (const to of free) right[to]! -= matrix[to * size + at]! * move;
    const moves = solveSymmetric(matrix, size, Int32Array.from(free), ridge, right);
    const below = free.filter((at) => moves[at]! * usual[Math.floor(at / targets)]! < -prices[at]!);
    if (below.length === 0 || round === 3) {
      for (const [at, move] of fixed.entries()) if (move !== 0) moves[at] = move;
      return moves;
    }
    for (const at of below) fixed[at] = -prices[at]! / usual[Math.floor(at / targets)]!;
    const gone = new Set(below);
    free = free.filter((at) => !gone.has(at));
  }
}

function judge(prepared: PreparedAssignment, limits: Float64Array, prices: Float64Array, pass: Pass): Judged {
  const { usual, problem } = prepared;
  let bound = pass.dollars;
  const excess = new Float64Array(limits.length);
  for (let at = 0; at < limits.length; at++) {
    if (limits[at] === Infinity) continue;
    excess[at] = (pass.used[at]! - limits[at]!) * usual[Math.floor(at / problem.targets.count)]!;
    bound -= prices[at]! * limits[at]!;
  }
  return { bound, misfit: misfitOf(prepared, limits, prices, pass.used), excess };
}

/** What is asked for too much, or too little where there is a price, as a share of all that is asked for. */
export function misfitOf({ usual, problem }: PreparedAssignment, limits: Float64Array, prices: Float64Array, used: Float64Array): number {
  let misfit = 0;
  let asked = 0;
  for (let at = 0; at < limits.length; at++) {
    if (limits[at] === Infinity) continue;
    const unit = usual[Math.floor(at / problem.targets.count)]!;
    asked += used[at]! * unit;
    if (used[at]! > limits[at]! || prices[at]! > 0) misfit += Math.abs(used[at]! - limits[at]!) * unit;
  }
  return asked > 0 ? misfit / asked : 0;
}

function dot(one: Float64Array, other: Float64Array): number {
  return one.reduce((sum, a, at) => sum + a * other[at]!, 0);
}

function go({ usual, problem }: PreparedAssignment, from: Float64Array, moves: Float64Array, share: number, to: Float64Array): Float64Array {
  return moves.map((move, at) => {
    const unit = usual[Math.floor(at / problem.targets.count)]!;
    if (unit === 0) return 0;
    to[at] = Math.max(0, from[at]! + share * move * unit);
    return (to[at]! - from[at]!) / unit;
  });
}
