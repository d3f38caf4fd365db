import type { Random } from '@data-in-motion/shared/random';
import { ascendPrices } from './ascend-prices.ts';
import { type Assignment, type FullTarget, type PricedPlacement, type PricedState, resources } from './assignment.ts';
import { closeChoices } from './close-choices.ts';
import { firstPrices, sampleRows, sampleSize } from './first-prices.ts';
import { improve } from './improve-places.ts';
import { missingCopies } from './missing-copies.ts';
import { type PreparedAssignment, prepare } from './prepare-assignment.ts';
import { type Choices, pricePass } from './price-pass.ts';
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

/** A close look only at those datasets whose choice could change within that share of the usual costs. */
const looks = [
  { radius: 0.008, steps: 50, firstStep: 5e-4, lastStep: 5e-5 },
  { radius: 0.0015, steps: 200, firstStep: 5e-5, lastStep: 1e-6 },
] as const;
/** From earlier prices the best is near. */
const laterLook = { radius: 0.0005, steps: 60, firstStep: 1e-4, lastStep: 2e-6 } as const;
/** What whims about targets may cost, a share of the usual costs: the finest step must be well below it, the gap that is asked for well above. */
const whims = 1e-4;
/** Of the radius. */
const edge = 0.9;
/** Times that a look is taken again. */
const mostAgain = 3;
/** Which rows repair may use, as a share of the usual costs. */
const repairRadius = 0.01;
/** Of the sum of all amounts: more than their rounding can come to, so that the bound stays below the optimum to the last digit. */
const rounding = 1e-13;

/**
 * Place every copy at close to the lowest cost, and prove how close: targets have prices for what they can run out of, under which every dataset finds its
 * best places for itself. The prices are raised until no target is asked for more than it has (nearly), the few copies too many take a detour, and what the
 * datasets pay less what the limits are worth is a bound that no placement can fall below (Lagrangian duality; Geoffrion 1974, Fisher 1981).
 *
 * Needs memory for a few numbers a dataset, none for each pair of dataset and target.
 */
export function placePriced(problem: Assignment, work: PricedWork): PricedPlacement {
  const prepared = prepare(problem);
  const isOver = (): boolean => work.nowMs() >= work.untilMs;
  const start = startOf(prepared, work, isOver);
  const dual = raise(prepared, start, work.from === null ? [...looks] : [laterLook], isOver);

  const atBest = boundAt(prepared, dual.prices);
  // The prices under which targets are filled most exactly leave least to repair.
  const fitting: Choices = { places: Int16Array.from(dual.choices.places), slack: dual.choices.slack };
  pricePass(prepared, dual.fitting, dual.close, { places: fitting.places, slack: Float32Array.from(fitting.slack) }, whims);
  const atFitting = boundAt(prepared, dual.fitting);

  const placing: Placing = { prepared, places: fitting.places, used: tally(prepared, fitting.places, everyRow).used };
  const close = closeRows(dual.choices.slack, problem.datasets.count <= sampleRows ? Infinity : repairRadius);
  makeFit({ placing, prices: dual.fitting, close, isOver });
  improve({ placing, prices: dual.fitting, close, isOver });

  const objective = tally(prepared, placing.places, everyRow).dollars;
  const isFittingBetter = atFitting > atBest;
  const lowerBound = isFittingBetter ? atFitting : atBest;
  const prices = isFittingBetter ? dual.fitting : dual.prices;
  return {
    places: placing.places,
    width: prepared.width,
    objective,
    lowerBound,
    gap: objective === 0 ? 0 : Math.max(0, objective - lowerBound) / Math.abs(objective),
    prices,
    full: fullTargets(prices),
    missing: missingCopies(placing),
    stopped: isOver() ? 'deadline' : 'done',
    state: { prices: dual.prices, choices: dual.choices.places, slack: dual.choices.slack },
  };
}

const everyRow = (): boolean => true;

interface Start {
  readonly prices: Float64Array;
  readonly choices: Choices;
}

/** First prices and what everybody chooses under them; of an earlier answer only the rows that are not as they were choose anew. */
function startOf(prepared: PreparedAssignment, { random, from }: PricedWork, isOver: () => boolean): Start {
  const { datasets } = prepared.problem;
  if (from === null) {
    const prices = firstPrices(prepared, random, whims, isOver);
    const choices = { places: new Int16Array(datasets.count * prepared.width).fill(-1), slack: new Float32Array(datasets.count) };
    pricePass(prepared, prices, null, choices, whims);
    return { prices, choices };
  }
  const prices = Float64Array.from(from.prices, (price, at) => (prepared.limits[at] === Infinity ? 0 : Math.max(0, price)));
  const choices = { places: Int16Array.from(from.choices), slack: Float32Array.from(from.slack) };
  pricePass(
    prepared,
    prices,
    rowsWhere(choices.slack, (slack) => !(slack >= 0)),
    choices,
    whims,
  );
  return { prices, choices };
}

interface Raised {
  readonly prices: Float64Array;
  readonly fitting: Float64Array;
  /** At `prices`. */
  readonly choices: Choices;
  /** Only these may choose otherwise at `fitting`. */
  readonly close: Int32Array;
}

/** Prices raised look by look; everybody's choice is kept up to date with them. */
function raise(prepared: PreparedAssignment, start: Start, looks: readonly Look[], isOver: () => boolean): Raised {
  const { choices } = start;
  let prices = start.prices;
  let fitting = prices;
  let close: Int32Array = new Int32Array(0);
  // What a sample gets wrong shrinks with the root of its size.
  const finer = Math.sqrt(sampleRows / sampleSize(prepared.problem.datasets.count));
  const ahead = [...looks];
  for (let again = 0; ahead.length > 0 && !isOver(); ) {
    const look = ahead[0]!;
    const radius = look.radius * finer;
    close = rowsWhere(choices.slack, (slack) => slack <= radius);
    const settled = tally(prepared, choices.places, (row) => choices.slack[row]! > radius);
    const found = ascendPrices({
      choices: closeChoices(prepared, prices, close, null, radius, whims),
      settledDollars: settled.dollars,
      settled: settled.used,
      limits: prepared.limits,
      prices,
      usual: prepared.usual,
      radius,
      steps: look.steps,
      firstStep: look.firstStep * finer,
      lastStep: look.lastStep * finer,
      isOver,
    });
    const moved = distance(prepared, found.best, prices);
    prices = found.best;
    fitting = found.fitting;
    // Rounded against ourselves: what is told to be settled must be.
    for (let row = 0; row < choices.slack.length; row++) choices.slack[row]! -= moved * (1 + 1e-6) + 1e-9 * Math.abs(choices.slack[row]!);
    pricePass(prepared, prices, close, choices, whims);
    // A price that went as far as it may wants to go on: the same look again, from there.
    again = moved >= edge * radius && again < mostAgain ? again + 1 : 0;
    if (again === 0) ahead.shift();
  }
  return { prices, fitting, choices, close };
}

type Look = (typeof looks)[number] | typeof laterLook;

/** The furthest that any price moved, as a share of the usual cost of its resource. */
function distance({ usual, problem }: PreparedAssignment, one: Float64Array, other: Float64Array): number {
  return one.reduce((most, price, at) => {
    const unit = usual[Math.floor(at / problem.targets.count)]!;
    return unit > 0 ? Math.max(most, Math.abs(price - other[at]!) / unit) : most;
  }, 0);
}

/** What the datasets pay at their best, without whims, less what the limits are worth, and less what rounding may have added. */
function boundAt(prepared: PreparedAssignment, prices: Float64Array): number {
  const { limits, problem, width } = prepared;
  const choices = { places: new Int16Array(problem.datasets.count * width).fill(-1), slack: new Float32Array(problem.datasets.count) };
  pricePass(prepared, prices, null, choices, 0);
  const { dollars, magnitude, used } = tally(prepared, choices.places, everyRow);
  let worth = 0;
  let size = 0;
  for (let at = 0; at < prices.length; at++) {
    if (prices[at] === 0) continue;
    worth += prices[at]! * (used[at]! - limits[at]!);
    size += prices[at]! * (used[at]! + limits[at]!);
  }
  return dollars + worth - rounding * (magnitude + size);
}

function closeRows(slack: Float32Array, radius: number): Int32Array {
  return rowsWhere(slack, (one) => one <= radius);
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
