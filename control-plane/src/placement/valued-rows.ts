import { CompensatedSum } from './compensated-sum.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';
import type { Look, Pass } from './price-pass.ts';

/** What each dataset pays and wants at certain prices: what a bound is the sum of, and what a later solve need not find out again. */
export interface ValuedRows {
  /** Dollars for a unit of each resource at each target, resource after resource. */
  readonly prices: Float64Array;
  /** What each pays at its best, room included, without whims. */
  readonly values: Float64Array;
  /** No less than the sum of the absolute amounts that were added up for them: what rounding is measured by. */
  readonly magnitude: number;
  /** Where it wants to be, with whims: `width` entries a dataset, −1 for none. */
  readonly wishes: Int16Array;
  readonly width: number;
  /** What all take up there of each resource at each target, resource after resource. */
  readonly used: Float64Array;
  /** What all cost there, without what room is worth. */
  readonly dollars: number;
}

/** Of the sum of all amounts: more than their rounding can come to, so that the bound stays below the optimum to the last digit. */
const rounding = 1e-13;

type ValuedLook = Pick<Look, 'whims' | 'lists'>;

export function valueRows({ problem, width }: PreparedAssignment, pass: Pass, prices: Float64Array, look: ValuedLook): ValuedRows {
  const { count } = problem.datasets;
  const nothing = { magnitude: 0, used: new Float64Array(prices.length), dollars: 0 };
  return valueAnew({ prices, values: new Float64Array(count), wishes: new Int16Array(count * width), width, ...nothing }, pass, null, look);
}

/** The same with more rows (null: all) that it has nothing of yet, in place. */
export function valueAnew(valued: ValuedRows, pass: Pass, rows: Int32Array | null, look: ValuedLook): ValuedRows {
  const { prices, values, wishes } = valued;
  pass.run(prices, { ...look, rows, weights: null, window: 0, places: wishes, values });
  let dollars = valued.dollars + pass.chosen;
  for (let at = 0; at < prices.length; at++) {
    valued.used[at]! += pass.used[at]!;
    if (prices[at]! > 0) dollars -= prices[at]! * pass.used[at]!;
  }
  return { ...valued, magnitude: valued.magnitude + pass.magnitude, dollars };
}

/** What the datasets pay less what the limits are worth, and less what rounding may have added: no placement costs less. */
export function boundOf({ limits }: PreparedAssignment, { prices, values, magnitude }: ValuedRows): number {
  const paid = new CompensatedSum();
  for (let row = 0; row < values.length; row++) paid.add(values[row]!);
  let worth = 0;
  for (let at = 0; at < prices.length; at++) if (prices[at]! > 0) worth += prices[at]! * limits[at]!;
  return paid.total - worth - rounding * (magnitude + worth);
}
