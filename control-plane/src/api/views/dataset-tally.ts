import type { FleetStatus } from '@data-in-motion/shared/api/fleet';
import { type FleetRows, factsOf } from '../fleet-rows.ts';
import { policyState, verifiedCopies } from './dataset-views.ts';

export interface DatasetTally extends Readonly<FleetStatus['datasets']> {
  /** All copies are there, and yet it is not as policy wants: side by side, in a wrong region, unencrypted. */
  readonly misplaced: number;
}

const tallies = new WeakMap<FleetRows, DatasetTally>();

/** How many datasets are in which state; counted once for each look. */
export function datasetTally(rows: FleetRows): DatasetTally {
  const known = tallies.get(rows);
  if (known !== undefined) return known;
  const tally = { total: rows.datasets.length, met: 0, short: 0, infeasible: 0, empty: 0, hot: 0, warm: 0, cold: 0, misplaced: 0 };
  for (const dataset of rows.datasets) {
    const { row, pointer } = dataset;
    const verified = verifiedCopies(dataset);
    // Before its first version a dataset has nothing that could be lost.
    const isShort = pointer !== undefined && verified < (factsOf(rows, row.datasetId)?.policy.copies ?? 0);
    const state = policyState(rows, dataset, verified);
    if (pointer === undefined) tally.empty++;
    if (isShort) tally.short++;
    if (state === 'met') tally.met++;
    if (state === 'infeasible') tally.infeasible++;
    if (state === 'short' && !isShort) tally.misplaced++;
    if (row.heat !== null) tally[row.heat.class]++;
  }
  tallies.set(rows, tally);
  return tally;
}
