import { resources } from './assignment.ts';
import { dollarsOfDetours } from './detours.ts';
import { everyRow } from './every-row.ts';
import { exchange } from './exchange-places.ts';
import { improve } from './improve-places.ts';
import { insertMissing } from './insert-missing.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';
import { makeFit, type Placing } from './repair-places.ts';
import type { ValuedRows } from './valued-rows.ts';

/** Of what all costs: where less is at stake another exchange takes longer than it is worth (100,000 × 200: a third of a second for 0.0006 %). */
const worthAgain = 1e-4;
/** Datasets that may be moved until all is full and nothing too full: so many times what has to move, at least and at most so many. */
const movable = 10;
const leastMovable = 8_192;
const mostMovable = 65_536;

/** What datasets want at some prices, as far as it fits. */
export interface Judged {
  readonly valued: ValuedRows;
  /** As a share of what they ask for: what is asked for too much, or too little where there is a price. */
  readonly misfit: number;
  readonly lowerBound: number;
}

/** A placement that fits, made of what was wanted. */
export interface Fitted {
  readonly from: Judged;
  readonly placing: Placing;
  readonly objective: number;
}

/** What is wanted is made to fit, and to cost little. */
export function fit(prepared: PreparedAssignment, from: Judged, isOver: () => boolean): Fitted {
  const { valued, misfit, lowerBound } = from;
  const { prices } = valued;
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
  return { from, placing, objective: valued.dollars + dollarsOfDetours(placing, valued.wishes) };
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
