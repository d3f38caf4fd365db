import { eachInSlices } from '@data-in-motion/shared/in-slices';
import { FleetCostSum } from '../../placement/cost.ts';
import { perLook } from '../per-look.ts';

/** What the fleet costs as it is seen now. */
export const fleetCostOf = perLook(async ({ snapshot, heats }) => {
  const sum = new FleetCostSum(snapshot, heats);
  await eachInSlices(snapshot.datasets, (dataset) => sum.add(dataset));
  return sum.cost;
});
