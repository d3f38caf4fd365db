import type { Random } from '@data-in-motion/shared/random';
import { type Ascended, ascendPrices, misfitOf } from './ascend-prices.ts';
import { type Assignment, type FullTarget, type PricedPlacement, resources } from './assignment.ts';
import { carriedPrices, carryOver, type Earlier, type EarlierPrices } from './carry-over.ts';
import { dollarsOfDetours } from './detours.ts';
import { everyRow } from './every-row.ts';
import { exchange } from './exchange-places.ts';
import { firstPrices, Samples } from './first-prices.ts';
import { improve } from './improve-places.ts';
import { insertMissing } from './insert-missing.ts';
import { missingCopies } from './missing-copies.ts';
import { type PreparedAssignment, prepare } from './prepare-assignment.ts';
import { type Pass, type PassOver, PricePass } from './price-pass.ts';
import { makeFit, type Placing } from './repair-places.ts';
import { boundOf, type ValuedRows, valueAnew, valueRows } from './valued-rows.ts';

export interface PricedWork {
  /** Chooses the sample; the same gives the same placement, as long as the deadline does not strike. */
  readonly random: Random;
  /** Whether to stop with what there is; what has to be done for any answer is done also then. */
  readonly isOver: () => boolean;
  /** An earlier answer, best to nearly the same problem; null to begin from nothing. */
  readonly from: Earlier | EarlierPrices | null;
  /** Left out: a pass of this thread alone. */
  readonly passOver?: PassOver;
}

/** What whims cost is well below the gap that is asked for, and many datasets still tell how demand bends. */
const leastWhims = 1e-4;
/** Enough when so little is asked for too much or too little, as a share of all; and so many times the whims, for these cost as much. */
const leastMisfit = { first: 0.0015, again: 0.003 } as const;
const misfitOfWhims = 4;
/** What it costs about to put elsewhere what does not fit, as a share of what it costs where it wants to be. */
const dollarsOfMisfit = 0.01;
/** Looks at all datasets, after each of which prices are found anew on the sample. */
const mostRounds = 5;
const passesOfRound = 6;
/** Where a round would end farther from what fits, it goes on for a while: a look at all takes as long, and begins another round. */
const farAfterRound = 0.004;
/** From an earlier answer a look at all is much of the time that is wanted: it ends sooner where looks bring the bound no further, as a share of it. */
const mostRoundsAgain = 3;
const nearMisfit = 0.01;
/** An earlier answer under which so much is asked for too much or too little is no place to begin: prices find their way sooner, and nearer, from nothing. */
const farMisfit = 0.02;
/** But not where fewer than such a share of the datasets changed: what does not fit is theirs, and soon elsewhere. */
const mostlyNew = 0.1;
const leastGain = 2e-5;
/** Of what all costs: where less is at stake another exchange takes longer than it is worth (100,000 × 200: a third of a second for 0.0006 %). */
const worthAgain = 1e-4;
/** Datasets that may be moved until all is full and nothing too full: so many times what has to move, at least and at most so many. */
const movable = 10;
const leastMovable = 8_192;
const mostMovable = 65_536;

/**
 * Place every copy at close to the lowest cost, and prove how close: targets have prices for what they can run out of, under which every dataset finds its
 * best places for itself. The prices are raised until no target is asked for more than it has (nearly), the few copies too many go on to where there is room,
 * and what the datasets pay less what the limits are worth is a bound that no placement can fall below (Lagrangian duality; Geoffrion 1974, Fisher 1981).
 *
 * What each dataset wants and pays at the last prices is kept: a later solve finds it out anew only of what changed, and looks at all datasets again only if
 * then too much does not fit.
 *
 * Needs memory for a few numbers a dataset, none for each pair of dataset and target.
 */
export function placePriced(problem: Assignment, work: PricedWork): PricedPlacement {
  const prepared = prepare(problem);
  return settle(prepared, work.isOver, lookedAt(prepared, work));
}

/** All looks at the datasets, after which nothing is kept for one: it would be dozens of megabytes while what is wanted is made to fit. */
function lookedAt(prepared: PreparedAssignment, work: PricedWork): Raised {
  const pass: Pass = work.passOver?.(prepared) ?? new PricePass(prepared);
  const samples = new Samples(prepared, work.random);
  const solve: Solve = { prepared, pass, samples, whims: leastWhims * samples.stronger, isOver: work.isOver };
  try {
    return raised(solve, begin(solve, work.from));
  } finally {
    pass.end?.();
  }
}

/** What datasets want where the earlier answer ended, or at prices that are found on some of them: where nothing is earlier, or it ended far from what fits now. */
function begin(solve: Solve, from: PricedWork['from']): Begun {
  const { prepared } = solve;
  if (from !== null) {
    const { there, looked } = thereFrom(solve, from);
    if (there.misfit <= farMisfit || looked < mostlyNew * prepared.problem.datasets.count) return { there, kind: 'again', stiffness: 0 };
  }
  const { prices, stiffness } = firstPrices(solve);
  return { there: lookAtAll(solve, prices, 'first'), kind: 'first', stiffness };
}

/** Where a solve begins, and how stiff targets were found to be. */
interface Begun {
  readonly there: Judged;
  readonly kind: Kind;
  readonly stiffness: number;
}

/** What is wanted at earlier prices, and how many datasets had to look for it. */
function thereFrom(solve: Solve, from: Earlier | EarlierPrices): { readonly there: Judged; readonly looked: number } {
  const { prepared, pass, whims } = solve;
  const carried = 'prices' in from ? null : carryOver(prepared, from);
  if (carried === null) return { there: lookAtAll(solve, carriedPrices(prepared, from), 'again'), looked: prepared.problem.datasets.count };
  const valued = valueAnew(carried.valued, pass, carried.changed, { whims, lists: false });
  return { there: judge(prepared, valued), looked: carried.changed.length };
}

/** What comes after an earlier answer are one or two looks, too few for lists. */
function lookAtAll({ prepared, pass, whims }: Solve, prices: Float64Array, kind: Kind): Judged {
  return judge(prepared, valueRows(prepared, pass, prices, { whims, lists: kind === 'first' }));
}

/** From nothing, or from an earlier answer. */
type Kind = 'first' | 'again';

/** What all of a solve needs. */
export interface Solve {
  readonly prepared: PreparedAssignment;
  readonly pass: Pass;
  readonly samples: Samples;
  /** How much whims cost at last, as a share of the usual cost. */
  readonly whims: number;
  readonly isOver: () => boolean;
}

/** What datasets want at some prices, as far as it fits. */
interface Judged {
  readonly valued: ValuedRows;
  /** As a share of what they ask for: what is asked for too much, or too little where there is a price. */
  readonly misfit: number;
  readonly lowerBound: number;
}

/** Of all prices that were tried: those that a placement best begins with, and those that bound the cost best; mostly the same. */
interface Raised {
  readonly fitting: Judged;
  readonly bounding: Judged;
}

/**
 * Prices raised until all datasets fit. Most passes are over the sample: what it asks for is corrected by what all asked for at the last look, so the sample
 * has to tell only how demand bends (control variate).
 */
function raised(solve: Solve, { there, kind, stiffness }: Begun): Raised {
  const { whims, isOver } = solve;
  let here = there;
  let stiff = stiffness;
  let [fitting, bounding] = [here, here];
  const rounds = kind === 'first' ? mostRounds : mostRoundsAgain;
  const enough = Math.max(leastMisfit[kind], misfitOfWhims * whims);
  for (let round = 0; round < rounds && here.misfit > enough && !isOver(); round++) {
    const before = bounding.lowerBound;
    const found = corrected(solve, here, enough, stiff);
    const { prices } = found;
    stiff = found.stiffness;
    if (prices.every((price, at) => price === here.valued.prices[at])) break;
    here = lookAtAll(solve, prices, kind);
    if (promiseOf(here) > promiseOf(fitting)) fitting = here;
    if (here.lowerBound > before) bounding = here;
    if (kind === 'again' && fitting.misfit <= nearMisfit && here.lowerBound - before < leastGain * Math.abs(before)) break;
  }
  return { fitting, bounding };
}

/** What a placement may cost that begins there, the more the better: a bound that is far from the others' is as bad as what does not fit. */
function promiseOf({ lowerBound, misfit }: Judged): number {
  return lowerBound - Math.abs(lowerBound) * misfit * dollarsOfMisfit;
}

function judge(prepared: PreparedAssignment, valued: ValuedRows): Judged {
  return { valued, misfit: misfitOf(prepared, prepared.limits, valued.prices, valued.used), lowerBound: boundOf(prepared, valued) };
}

/** Prices under which the sample asks for as much less as all datasets asked for too much. */
function corrected({ prepared, pass, samples, whims, isOver }: Solve, { valued }: Judged, enough: number, stiffness: number): Ascended {
  const ascent = { prepared, pass, ...samples.correcting, asked: valued.used, prices: valued.prices, isOver };
  return ascendPrices({ ...ascent, firstWhims: whims, lastWhims: whims, misfit: enough / 2, passes: passesOfRound, far: farAfterRound, stiffness });
}

/** What is wanted is made to fit, and to cost little. */
function settle(prepared: PreparedAssignment, isOver: () => boolean, { fitting, bounding }: Raised): PricedPlacement {
  const { misfit, valued } = fitting;
  const { prices } = valued;
  const { lowerBound } = bounding;
  const placing: Placing = { prepared, places: Int16Array.from(valued.wishes), used: Float64Array.from(valued.used) };
  const { count } = prepared.problem.datasets;
  const wanted = Math.max(leastMovable, Math.min(mostMovable, Math.ceil(movable * misfit * count)));
  const stride = Math.max(1, Math.floor(count / wanted));
  const repair = { placing, prices, some: everyRow(count, stride), isOver };
  for (let resource = resources.length - 1; resource >= 0; resource--) exchange(repair, resource);
  // Once more for room: what went elsewhere has other ways from there.
  if (atStake(placing, prices) > worthAgain * Math.abs(lowerBound)) exchange(repair, 0);
  makeFit(repair);
  insertMissing(repair);
  improve(repair);
  const objective = valued.dollars + dollarsOfDetours(placing, valued.wishes);
  return {
    places: placing.places,
    width: prepared.width,
    objective,
    lowerBound,
    gap: objective === 0 ? 0 : Math.max(0, objective - lowerBound) / Math.abs(objective),
    prices: bounding.valued.prices,
    full: fullTargets(bounding.valued.prices),
    missing: missingCopies(placing),
    stopped: isOver() ? 'deadline' : 'done',
    state: { problem: prepared.problem, valued: bounding.valued },
  };
}

/** Dollars that what does not fit would cost at the usual cost, and that what is left is worth. */
function atStake({ prepared, used }: Placing, prices: Float64Array): number {
  const { limits, usual, problem } = prepared;
  let dollars = 0;
  for (let at = 0; at < limits.length; at++) {
    const left = limits[at]! - used[at]!;
    if (left < 0) dollars -= left * usual[Math.floor(at / problem.targets.count)]!;
    else if (prices[at]! > 0) dollars += left * prices[at]!;
  }
  return dollars;
}

function fullTargets(prices: Float64Array): FullTarget[] {
  const targets = prices.length / resources.length;
  return [...prices.entries()].flatMap(([at, price]) =>
    price > 0 ? [{ column: at % targets, resource: resources[Math.floor(at / targets)]!, dollarsPerUnit: price }] : [],
  );
}
