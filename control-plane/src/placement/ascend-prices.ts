import { resources } from './assignment.ts';
import { type CloseChoices, parts, priceChoices } from './close-choices.ts';

/** What the prices are raised over: some datasets at their best, the others where they are. */
export interface Ascent {
  readonly choices: CloseChoices;
  /** Dollars of the datasets that are not looked at, without prices. */
  readonly settledDollars: number;
  /** What these take up of each resource at each target. */
  readonly settled: Float64Array;
  readonly limits: Float64Array;
  /** Where it begins. */
  readonly prices: Float64Array;
  /** The usual cost of each resource, which radius and steps are shares of. */
  readonly usual: Float64Array;
  /** How far each price may go from where it begins: within it, the settled ones stay where they are. */
  readonly radius: number;
  readonly steps: number;
  /** The first step and the last, between them they shrink by a constant share. */
  readonly firstStep: number;
  readonly lastStep: number;
  readonly isOver: () => boolean;
}

/** How much of the earlier direction a step keeps, and over how long a target's usual imbalance is measured: Adam, Kingma and Ba 2015, with shorter memories, since steps are few. */
const keptDirection = 0.9;
const keptScale = 0.95;

/** A step looks at one part of the datasets and takes the others as they were seen last: steps are small, and so is what they miss. At all of them after so many steps, to know which prices were best. */
const looksEvery = 24;
/** Fewer are all looked at in each step. */
const fewRows = 4096;

/**
 * Raise the price of targets that are asked for more than they have, lower it where something is left: ascent on the Lagrangian dual
 *
 *     bound(prices) = Σ cheapest places under prices − Σ price · limit
 *
 * which is concave, and for any prices ≥ 0 no more than the optimum. Each price has a step of its own, scaled by its usual imbalance, since one step for all
 * stands still where fifty targets bind (measured: 5 % gap instead of 0.01 %). The imbalance is kept part by part of the datasets (incremental aggregated
 * gradient; Blatt, Hero and Gauchman 2007).
 *
 * @returns the prices with the highest bound of all that were looked at, and those under which targets are filled most exactly: there, least is left to repair
 */
export function ascendPrices(ascent: Ascent): { readonly best: Float64Array; readonly fitting: Float64Array } {
  const { limits, settled, steps, usual, choices } = ascent;
  const count = limits.length;
  const targets = count / resources.length;
  const prices = Float64Array.from(ascent.prices);
  const found = { best: Float64Array.from(prices), fitting: Float64Array.from(prices), bound: -Infinity, misfit: Infinity };
  const direction = new Float64Array(count);
  const scale = new Float64Array(count);
  const used = new Float64Array(count);
  const rows = choices.copies.length;
  const partCount = rows <= fewRows || ascent.radius === Infinity ? 1 : parts;
  const partUsed = Array.from({ length: partCount }, () => new Float64Array(count));
  const partOf = (part: number): [number, number] => [Math.floor((rows * part) / partCount), Math.floor((rows * (part + 1)) / partCount)];
  const look = (which: readonly number[]): number => {
    let dollars = 0;
    for (const part of which) {
      const own = partUsed[part]!;
      for (let at = 0; at < count; at++) used[at]! -= own[at]!;
      dollars += priceChoices(choices, prices, own, partOf(part));
      for (let at = 0; at < count; at++) used[at]! += own[at]!;
    }
    return dollars;
  };
  const all = [...partUsed.keys()];
  for (let step = 1; step <= steps && !ascent.isOver(); step++) {
    if (partCount === 1 || step % looksEvery === 1 || step === steps) judge(ascent, prices, look(all), used, found);
    else look([step % partCount]);
    const length = ascent.firstStep * (ascent.lastStep / ascent.firstStep) ** (step / steps);
    for (let at = 0; at < count; at++) {
      const limit = limits[at]!;
      if (limit <= 0 || limit === Infinity) continue;
      const unit = usual[Math.floor(at / targets)]!;
      let excess = (used[at]! + settled[at]! - limit) / limit;
      if (prices[at]! <= 0 && excess < 0) excess = 0;
      direction[at] = keptDirection * direction[at]! + (1 - keptDirection) * excess;
      scale[at] = keptScale * scale[at]! + (1 - keptScale) * excess * excess;
      const moved = prices[at]! + (unit * length * direction[at]!) / (Math.sqrt(scale[at]!) + 1e-6);
      const from = ascent.prices[at]!;
      prices[at] = Math.max(0, from - unit * ascent.radius, Math.min(from + unit * ascent.radius, moved));
    }
  }
  return found;
}

/** Whether these prices are the best so far, or those that fit best. */
function judge(
  { limits, settled, settledDollars, usual }: Ascent,
  prices: Float64Array,
  dollars: number,
  used: Float64Array,
  found: { best: Float64Array; fitting: Float64Array; bound: number; misfit: number },
): void {
  const targets = limits.length / resources.length;
  let bound = dollars + settledDollars;
  let misfit = 0;
  for (let at = 0; at < limits.length; at++) {
    if (limits[at] === Infinity) continue;
    bound += prices[at]! * (settled[at]! - limits[at]!);
    const excess = used[at]! + settled[at]! - limits[at]!;
    if (excess > 0 || prices[at]! > 0) misfit += Math.abs(excess) * usual[Math.floor(at / targets)]!;
  }
  if (misfit < found.misfit) {
    found.misfit = misfit;
    found.fitting.set(prices);
  }
  if (bound > found.bound) {
    found.bound = bound;
    found.best.set(prices);
  }
}
