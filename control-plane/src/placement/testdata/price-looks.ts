import { type Random } from '@data-in-motion/shared/random';
import { assignmentInstance } from '../../../bench/assignment-instance.ts';
import type { Assignment } from '../assignment.ts';
import type { PreparedAssignment } from '../prepare-assignment.ts';
import type { Look, Pass } from '../price-pass.ts';
import { smallAssignment } from './small-assignment.ts';

export type Sample = Pick<Look, 'rows' | 'weights'>;
export const allRows: Sample = { rows: null, weights: null };

/** A small problem: one that is drawn at random altogether, or one like a fleet. */
export function someProblem(random: Random, seed: number): Assignment {
  return random.next() < 0.5 ? smallAssignment(random, { datasets: 30, targets: 8, copies: 3 }) : assignmentInstance(60, 15, seed);
}

/** All that a pass finds under prices. */
export function looked(prepared: PreparedAssignment, pass: Pass, prices: Float64Array, whims: number, window: number, sample = allRows) {
  const { count } = prepared.problem.datasets;
  const places = new Int16Array(count * prepared.width).fill(-1);
  const values = new Float64Array(count);
  pass.run(prices, { ...sample, whims, window, lists: true, places, values });
  return {
    places: [...places],
    values: [...values],
    used: [...pass.used],
    sums: [pass.dollars, pass.magnitude],
    bends: window > 0 ? [...pass.bends] : [],
  };
}

/** Prices some of which are up or down, by next to nothing or by many times the usual cost. */
export function moved({ usual, problem }: PreparedAssignment, prices: Float64Array, random: Random): Float64Array {
  const far = 10 ** (2 - 6 * random.next());
  return prices.map((price, at) => {
    const by = random.next() < 0.5 ? 0 : far * (2 * random.next() - 1) * usual[Math.floor(at / problem.targets.count)]!;
    return Math.max(0, price + by);
  });
}
