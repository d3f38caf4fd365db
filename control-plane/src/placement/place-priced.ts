import type { Random } from '@data-in-motion/shared/random';
import { type Ascended, ascendPrices, misfitOf } from './ascend-prices.ts';
import { type Assignment, type FullTarget, type PricedPlacement, resources } from './assignment.ts';
import { carriedPrices, carryOver, type Earlier, type EarlierPrices } from './carry-over.ts';
import { firstPrices, Samples } from './first-prices.ts';
import { type Fitted, fit, type Judged } from './fit-wishes.ts';
import { missingCopies } from './missing-copies.ts';
import { type PreparedAssignment, prepare } from './prepare-assignment.ts';
import { type Pass, type PassOver, PricePass } from './price-pass.ts';
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
/**
 * From an earlier answer so much is made to fit before anything else is tried, and that is enough if it ends so near, or within what whims cost. Where targets
 * are few more is tried, for it takes a seventh of the time that it does with four times as many (100,000 × 12 and × 50).
 */
const atOnceOf = { few: 0.005, many: 0.003 } as const;
const fewTargets = 24;
const goodGap = 1e-4;
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
  const { fitting, bounding, atOnce } = lookedAt(prepared, work);
  const fitted = atOnce?.from === fitting ? atOnce : cheaper(fit(prepared, fitting, work.isOver), atOnce);
  return answerOf(prepared, fitted, bounding, work.isOver);
}

/**
 * All looks at the datasets, after which nothing is kept for one: it would be dozens of megabytes while what is wanted is made to fit. From an earlier answer
 * what is wanted mostly fits nearly: then it is made to fit at once, and datasets are looked at again only if that turned out dear.
 */
function lookedAt(prepared: PreparedAssignment, work: PricedWork): Raised & { readonly atOnce: Fitted | null } {
  const pass: Pass = work.passOver?.(prepared) ?? new PricePass(prepared);
  const samples = new Samples(prepared, work.random);
  const solve: Solve = { prepared, pass, samples, whims: leastWhims * samples.stronger, isOver: work.isOver };
  try {
    const begun = begin(solve, work.from);
    const atOnce = fitAtOnce(solve, begun);
    if (atOnce !== null && gapOf(atOnce, begun.there) <= Math.max(goodGap, solve.whims)) return { fitting: begun.there, bounding: begun.there, atOnce };
    return { ...raised(solve, begun), atOnce };
  } finally {
    pass.end?.();
  }
}

function fitAtOnce({ prepared, isOver }: Solve, { there, kind }: Begun): Fitted | null {
  const most = atOnceOf[prepared.problem.targets.count <= fewTargets ? 'few' : 'many'];
  return kind === 'again' && there.misfit <= most ? fit(prepared, there, isOver) : null;
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
  // What fits nearly, and was dear to make fit, is worth a round.
  const enoughAtFirst = kind === 'first' ? enough : enough / 2;
  for (let round = 0; round < rounds && here.misfit > (round === 0 ? enoughAtFirst : enough) && !isOver(); round++) {
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

function cheaper(one: Fitted, other: Fitted | null): Fitted {
  return other !== null && other.objective < one.objective ? other : one;
}

function gapOf({ objective }: Fitted, { lowerBound }: Judged): number {
  return objective === 0 ? 0 : Math.max(0, objective - lowerBound) / Math.abs(objective);
}

function answerOf(prepared: PreparedAssignment, fitted: Fitted, bounding: Judged, isOver: () => boolean): PricedPlacement {
  const { placing, objective } = fitted;
  const { prices } = bounding.valued;
  return {
    places: placing.places,
    width: prepared.width,
    objective,
    lowerBound: bounding.lowerBound,
    gap: gapOf(fitted, bounding),
    prices,
    full: fullTargets(prices),
    missing: missingCopies(placing),
    stopped: isOver() ? 'deadline' : 'done',
    state: { problem: prepared.problem, valued: bounding.valued },
  };
}

function fullTargets(prices: Float64Array): FullTarget[] {
  const targets = prices.length / resources.length;
  return [...prices.entries()].flatMap(([at, price]) =>
    price > 0 ? [{ column: at % targets, resource: resources[Math.floor(at / targets)]!, dollarsPerUnit: price }] : [],
  );
}
