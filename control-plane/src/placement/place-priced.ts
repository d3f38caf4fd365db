import type { Random } from '@data-in-motion/shared/random';
import { ascendPrices, misfitOf } from './ascend-prices.ts';
import { type Assignment, type FullTarget, type PricedPlacement, type PricedState, resources } from './assignment.ts';
import { exchange } from './exchange-places.ts';
import { fineSample, firstPrices, type Sample } from './first-prices.ts';
import { improve } from './improve-places.ts';
import { insertMissing } from './insert-missing.ts';
import { missingCopies } from './missing-copies.ts';
import { type PreparedAssignment, prepare } from './prepare-assignment.ts';
import { PricePass } from './price-pass.ts';
import { makeFit, type Placing } from './repair-places.ts';
import { tally } from './tally-places.ts';

export interface PricedWork {
  /** Chooses the sample; the same gives the same placement, as long as the deadline does not strike. */
  readonly random: Random;
  readonly nowMs: () => number;
  /** When to stop with what there is; what has to be done for any answer is done also later. */
  readonly untilMs: number;
  /** Of an earlier answer to nearly the same problem, with a slack of −1 for each row that is not as it was; null to begin from nothing. */
  readonly from: PricedState | null;
}

/** The last prices are found on all datasets. What whims cost is well below the gap that is asked for, and many datasets still tell how demand bends. */
const lastWhims = 1e-4;
const lastMisfit = 0.003;
/** Looks at all datasets, after each of which prices are found anew on the sample. */
const mostRounds = 5;
const passesOfRound = 6;
/** Datasets that may be moved until all is full and nothing too full: so many times what has to move, at least and at most so many. */
const movable = 20;
const leastMovable = 8_192;
const mostMovable = 65_536;
/** Earlier prices are kept when the answer comes as close to their bound. */
const goodEnough = 1e-4;
/** Of the sum of all amounts: more than their rounding can come to, so that the bound stays below the optimum to the last digit. */
const rounding = 1e-13;

/**
 * Place every copy at close to the lowest cost, and prove how close: targets have prices for what they can run out of, under which every dataset finds its
 * best places for itself. The prices are raised until no target is asked for more than it has (nearly), the few copies too many go on to where there is room,
 * and what the datasets pay less what the limits are worth is a bound that no placement can fall below (Lagrangian duality; Geoffrion 1974, Fisher 1981).
 *
 * From an earlier answer, datasets that did not change stay where they were put, at the same prices; new prices are looked for only if that is not close.
 *
 * Needs memory for a few numbers a dataset, none for each pair of dataset and target.
 */
export function placePriced(problem: Assignment, work: PricedWork): PricedPlacement {
  const prepared = prepare(problem);
  const pass = new PricePass(prepared);
  const isOver = (): boolean => work.nowMs() >= work.untilMs;
  const solve: Solve = { prepared, pass, isOver };
  const drawn = fineSample(prepared, work.random);
  if (work.from !== null) {
    const again = settle(solve, startAgain(solve, work.from, drawn));
    if (again.gap <= goodEnough || isOver()) return answer(solve, again);
    return answer(solve, better(again, settle(solve, raised(solve, again.prices, drawn))));
  }
  return answer(solve, settle(solve, raised(solve, firstPrices(solve, drawn, work.random, lastWhims), drawn)));
}

/** What all of a solve needs. */
export interface Solve {
  readonly prepared: PreparedAssignment;
  readonly pass: PricePass;
  readonly isOver: () => boolean;
}

/** Prices and what is chosen under them, which need not fit. */
interface Start {
  readonly prices: Float64Array;
  readonly placing: Placing;
  readonly misfit: number;
}

/** What fits, and what bounds it. */
interface Settled {
  readonly placing: Placing;
  readonly objective: number;
  readonly prices: Float64Array;
  readonly lowerBound: number;
  readonly slack: Float32Array;
  readonly gap: number;
}

/**
 * Prices raised until all datasets fit. Most passes are over the sample: what it asks for is corrected by what all asked for at the last look, so the sample
 * has to tell only how demand bends (control variate).
 */
function raised(solve: Solve, firstPrices: Float64Array, drawn: Sample): Start {
  const { prepared, pass, isOver } = solve;
  const { datasets } = prepared.problem;
  const places = new Int16Array(datasets.count * prepared.width).fill(-1);
  let prices = firstPrices;
  for (let round = 1; ; round++) {
    pass.run(prices, { rows: null, weights: null, whims: lastWhims, window: 0, places, slack: null });
    const used = Float64Array.from(pass.used);
    const misfit = misfitOf(prepared, prepared.limits, prices, used);
    if (misfit <= lastMisfit || round === mostRounds || isOver()) return { prices, placing: { prepared, places, used }, misfit };
    prices = corrected(solve, drawn, prices, used);
  }
}

/** Prices under which the sample asks for as much less as all datasets asked for too much. */
function corrected({ prepared, pass, isOver }: Solve, drawn: Sample, prices: Float64Array, used: Float64Array): Float64Array {
  pass.run(prices, { ...drawn, whims: lastWhims, window: 0, places: null, slack: null });
  const limits = prepared.limits.map((limit, at) => limit + pass.used[at]! - used[at]!);
  return ascendPrices({ prepared, pass, ...drawn, limits, prices, firstWhims: lastWhims, lastWhims, misfit: lastMisfit / 2, passes: passesOfRound, isOver })
    .prices;
}

/** The datasets that are not as they were choose anew, the others are where they were put, and prices follow. */
function startAgain(solve: Solve, from: PricedState, drawn: Sample): Start {
  const { prepared, pass } = solve;
  const places = Int16Array.from(from.choices);
  const changed = rowsWhere(from.slack, (slack) => !(slack >= 0));
  const choose = (prices: Float64Array) => {
    pass.run(prices, { rows: changed, weights: null, whims: lastWhims, window: 0, places, slack: null });
    return tally(prepared, places).used;
  };
  let prices: Float64Array = Float64Array.from(from.prices, (price, at) => (prepared.limits[at] === Infinity ? 0 : Math.max(0, price)));
  let used = choose(prices);
  if (misfitOf(prepared, prepared.limits, prices, used) > lastMisfit) {
    prices = corrected(solve, drawn, prices, used);
    used = choose(prices);
  }
  return { prices, placing: { prepared, places, used }, misfit: misfitOf(prepared, prepared.limits, prices, used) };
}

/** What is chosen is made to fit, and to cost little. */
function settle({ prepared, pass, isOver }: Solve, { prices, placing, misfit }: Start): Settled {
  const { count } = prepared.problem.datasets;
  const wanted = Math.max(leastMovable, Math.min(mostMovable, Math.ceil(movable * misfit * count)));
  const stride = Math.max(1, Math.floor(count / wanted));
  const rows = Int32Array.from({ length: Math.ceil(count / stride) }, (_, at) => at * stride);
  const repair = { placing, prices, some: rows, isOver };
  for (let resource = resources.length - 1; resource >= 0; resource--) exchange(repair, resource);
  makeFit(repair);
  insertMissing(repair);
  improve(repair);

  const objective = tally(prepared, placing.places).dollars;
  const slack = new Float32Array(count);
  const wishes = new Int16Array(placing.places.length).fill(-1);
  const lowerBound = boundAt(prepared, pass, prices, wishes, slack);
  // A copy that is not where it wants to be is so by no margin.
  for (const [at, place] of placing.places.entries()) if (place !== wishes[at]) slack[Math.floor(at / prepared.width)] = 0;
  return { placing, objective, prices, lowerBound, slack, gap: gapOf(objective, lowerBound) };
}

function better(one: Settled, other: Settled): Settled {
  const { objective, placing } = one.objective <= other.objective ? one : other;
  const { lowerBound, prices, slack } = one.lowerBound >= other.lowerBound ? one : other;
  return { objective, placing, lowerBound, prices, slack, gap: gapOf(objective, lowerBound) };
}

function answer({ prepared, isOver }: Solve, { placing, objective, lowerBound, prices, slack, gap }: Settled): PricedPlacement {
  return {
    places: placing.places,
    width: prepared.width,
    objective,
    lowerBound,
    gap,
    prices,
    full: fullTargets(prices),
    missing: missingCopies(placing),
    stopped: isOver() ? 'deadline' : 'done',
    state: { prices, choices: placing.places, slack },
  };
}

function gapOf(objective: number, lowerBound: number): number {
  return objective === 0 ? 0 : Math.max(0, objective - lowerBound) / Math.abs(objective);
}

/** What the datasets pay at their best, without whims, less what the limits are worth, and less what rounding may have added. */
function boundAt({ limits }: PreparedAssignment, pass: PricePass, prices: Float64Array, places: Int16Array, slack: Float32Array): number {
  pass.run(prices, { rows: null, weights: null, whims: 0, window: 0, places, slack });
  let worth = 0;
  for (let at = 0; at < prices.length; at++) if (prices[at]! > 0) worth += prices[at]! * limits[at]!;
  return pass.dollars - worth - rounding * (pass.magnitude + worth);
}

function rowsWhere(slack: Float32Array, isWanted: (slack: number) => boolean): Int32Array {
  const rows = new Int32Array(slack.length);
  let count = 0;
  for (let row = 0; row < slack.length; row++) if (isWanted(slack[row]!)) rows[count++] = row;
  return rows.slice(0, count);
}

function fullTargets(prices: Float64Array): FullTarget[] {
  const targets = prices.length / resources.length;
  return [...prices.entries()].flatMap(([at, price]) =>
    price > 0 ? [{ column: at % targets, resource: resources[Math.floor(at / targets)]!, dollarsPerUnit: price }] : [],
  );
}
