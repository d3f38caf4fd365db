import type { FleetStatus } from '@data-in-motion/shared/api/fleet';
import { eachInSlices } from '@data-in-motion/shared/in-slices';
import { perLook } from '../per-look.ts';
import { policyState, verifiedCopies } from './dataset-views.ts';

export interface DatasetTally extends Readonly<FleetStatus['datasets']> {
  /** All copies are there, and yet it is not as policy wants: side by side, in a wrong region, unencrypted. */
  readonly misplaced: number;
}

/** How many datasets are in which state. */
export const datasetTally = perLook(async (rows): Promise<DatasetTally> => {
  const tally = { total: rows.datasets.length, met: 0, short: 0, infeasible: 0, empty: 0, hot: 0, warm: 0, cold: 0, misplaced: 0 };
  await eachInSlices(rows.datasets, (dataset, at) => {
    const { row, pointer } = dataset;
    const verified = verifiedCopies(dataset);
    // Before its first version a dataset has nothing that could be lost.
    const isShort = pointer !== undefined && verified < (rows.snapshot.datasets[at]?.policy.copies ?? 0);
    const state = policyState(rows, dataset, verified);
    if (pointer === undefined) tally.empty++;
    if (isShort) tally.short++;
    if (state === 'met') tally.met++;
    if (state === 'infeasible') tally.infeasible++;
    if (state === 'short' && !isShort) tally.misplaced++;
    if (row.heat !== null) tally[row.heat.class]++;
  });
  return tally;
});
