import { type CloseChoices, priceChoices } from './close-choices.ts';

/** What the prices are raised over: some datasets at their best, the others where they are. */
export interface Ascent {
  readonly choices: CloseChoices;
  /** Dollars of the datasets that are not looked at, without prices. */
  readonly settledDollars: number;
  /** Bytes that these hold in each target. */
  readonly settledBytes: Float64Array;
  readonly capacityBytes: Float64Array;
  /** Where it begins. */
  readonly prices: Float64Array;
  /** How far each price may go from where it begins, dollars per byte: within it, the settled ones stay where they are. */
  readonly radius: number;
  readonly steps: number;
  /** Dollars per byte: the first step and the last, between them they shrink by a constant share. */
  readonly firstStep: number;
  readonly lastStep: number;
  readonly isOver: () => boolean;
}

/** How much of the earlier direction a step keeps, and over how long a target's usual imbalance is measured: Adam, Kingma and Ba 2015, with shorter memories, since steps are few. */
const keptDirection = 0.9;
const keptScale = 0.95;

/**
 * Raise the price of targets that are asked for more than they hold, lower it where room is left: ascent on the Lagrangian dual
 *
 *     bound(prices) = Σ cheapest places under prices − Σ price · capacity
 *
 * which is concave, and for any prices ≥ 0 no more than the optimum. Each price has a step of its own, scaled by its usual imbalance, since one step for all
 * stands still where fifty targets bind (measured: 5 % gap instead of 0.01 %).
 *
 * @returns the prices with the highest bound of all that were tried, and those under which targets are filled most exactly: there, least is left to repair
 */
export function ascendPrices(ascent: Ascent): { readonly best: Float64Array; readonly fitting: Float64Array } {
  const { capacityBytes, settledBytes, steps } = ascent;
  const count = capacityBytes.length;
  const prices = Float64Array.from(ascent.prices);
  const best = Float64Array.from(prices);
  const fitting = Float64Array.from(prices);
  let bestBound = -Infinity;
  let leastMisfit = Infinity;
  const direction = new Float64Array(count);
  const scale = new Float64Array(count);
  const loadBytes = new Float64Array(count);
  for (let step = 1; step <= steps && !ascent.isOver(); step++) {
    let bound = priceChoices(ascent.choices, prices, loadBytes) + ascent.settledDollars;
    let misfit = 0;
    for (let column = 0; column < count; column++) {
      bound += prices[column]! * (settledBytes[column]! - capacityBytes[column]!);
      const excess = loadBytes[column]! + settledBytes[column]! - capacityBytes[column]!;
      if (excess > 0 || prices[column]! > 0) misfit += Math.abs(excess);
    }
    if (misfit < leastMisfit) {
      leastMisfit = misfit;
      fitting.set(prices);
    }
    if (bound > bestBound) {
      bestBound = bound;
      best.set(prices);
    }
    const length = ascent.firstStep * (ascent.lastStep / ascent.firstStep) ** (step / steps);
    for (let column = 0; column < count; column++) {
      const capacity = capacityBytes[column]!;
      if (capacity <= 0) continue;
      let excess = (loadBytes[column]! + settledBytes[column]! - capacity) / capacity;
      if (prices[column]! <= 0 && excess < 0) excess = 0;
      direction[column] = keptDirection * direction[column]! + (1 - keptDirection) * excess;
      scale[column] = keptScale * scale[column]! + (1 - keptScale) * excess * excess;
      const moved = prices[column]! + (length * direction[column]!) / (Math.sqrt(scale[column]!) + 1e-6);
      const from = ascent.prices[column]!;
      prices[column] = Math.max(0, from - ascent.radius, Math.min(from + ascent.radius, moved));
    }
  }
  return { best, fitting };
}
