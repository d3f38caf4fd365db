import { copyOnce, daysPerMonth, leaveOnce } from '../fleet/copy-cost.ts';
import type { EvacuationSettings, PlacementSettings } from '../fleet/decision-settings.ts';
import { asHeldBy, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import { copyAtStake, copyingDollars, lostInMonth } from '../health/evacuation-price.ts';
import type { ExpectedUse } from '../heat/expected-use.ts';
import type { CopyRole } from '../policy/violations.ts';
import { isPaid, replicaCost, waitingPerMonth } from './cost.ts';
import type { CostParts } from './plan.ts';

/**
 * What is minimised for one copy at one place, by part, US dollars per month: the bill, and what nobody bills but counts all the same.
 * A part is added here, in `objectiveParts`, `objectiveOf` and `addParts`, nowhere else: solver and explanation both read it from there.
 */
export interface ObjectiveParts extends Omit<CostParts, 'migrationOnce'> {
  /** What readers' waiting is worth; the primary only. */
  readonly waitingPerMonth: number;
  /** What losing the copy with its drives is expected to cost: making it again, and the data where it is the only copy. */
  readonly riskPerMonth: number;
  /** What bringing the copy there costs once, spread over the horizon; 0 where it is. */
  readonly wayTherePerMonth: number;
  /** What the copying costs those who use both places meanwhile, and the life of the drive it takes, spread over the horizon; 0 where it is. */
  readonly copyingPerMonth: number;
  /** What hysteresis asks a move for heat or cost to save besides: the policy's margin of what the dataset costs now; 0 for all else. */
  readonly restPerMonth: number;
}

/** How a copy comes to a place: it is there, or it is read from a copy that stands, and replaces one or none. */
export type Way =
  | { readonly kind: 'there' }
  | { readonly kind: 'copy'; readonly read: ReplicaFacts }
  | { readonly kind: 'move'; readonly from: ReplicaFacts; readonly read: ReplicaFacts };

/** What the parts are reckoned from besides the dataset and the place. */
export interface ObjectiveContext {
  readonly snapshot: FleetSnapshot;
  readonly settings: PlacementSettings;
  readonly evacuation: EvacuationSettings;
}

/** The parts of the objective of a copy of the dataset at a target, where it plays this role and comes there this way. */
export function objectiveParts(
  context: ObjectiveContext,
  dataset: DatasetFacts,
  role: CopyRole,
  target: TargetFacts,
  way: Way,
  use: ExpectedUse,
  restPerMonth = 0,
): ObjectiveParts {
  const { migrationOnce: _, ...bill } = replicaCost(target, role, dataset, use);
  return {
    ...bill,
    waitingPerMonth: waitingPerMonth(target, role, use, context.settings.dollarsPerReadSec),
    riskPerMonth: copyAtStake(dataset, context.evacuation) * lostInMonth(target, context.evacuation),
    wayTherePerMonth: (wayOnce(context.snapshot, dataset, target, way) * daysPerMonth) / context.settings.horizonDays,
    copyingPerMonth: (copyingOnce(context, dataset, target, way) * daysPerMonth) / context.settings.horizonDays,
    restPerMonth,
  };
}

/** What bringing the copy there costs once, with what its old place still bills when it leaves too early, US dollars. */
export function wayOnce(snapshot: FleetSnapshot, dataset: DatasetFacts, to: TargetFacts, way: Way): number {
  if (way.kind === 'there') return 0;
  const { targets } = indexOf(snapshot);
  const read = targets.get(way.read.targetId);
  const left = way.kind === 'move' ? targets.get(way.from.targetId) : undefined;
  const leaves = way.kind === 'move' && left !== undefined ? leaveOnce(left, way.from, dataset, snapshot.takenAtMs) : 0;
  return (read === undefined ? 0 : copyOnce(read, to, dataset)) + leaves;
}

/** The time that reading it there and writing it here takes, and what is written, US dollars. */
function copyingOnce({ snapshot, evacuation }: ObjectiveContext, dataset: DatasetFacts, to: TargetFacts, way: Way): number {
  const read = way.kind === 'there' ? undefined : indexOf(snapshot).targets.get(way.read.targetId);
  return read === undefined ? 0 : copyingDollars(read, to, dataset.sizeBytes, evacuation);
}

/** The sum of the parts: the objective, US dollars per month. */
export function objectiveOf(parts: ObjectiveParts): number {
  // By name: this is asked of millions of places.
  const billed = parts.storagePerMonth + parts.requestsPerMonth + parts.retrievalPerMonth + parts.egressPerMonth;
  return billed + parts.waitingPerMonth + parts.riskPerMonth + parts.wayTherePerMonth + parts.copyingPerMonth + parts.restPerMonth;
}

/** The objective without what only a move costs: what it goes on costing, and what a move is paid back from. */
export function lastingPerMonth(parts: ObjectiveParts): number {
  return objectiveOf({ ...parts, wayTherePerMonth: 0, copyingPerMonth: 0, restPerMonth: 0 });
}

export type SumOfParts = { -readonly [Part in keyof ObjectiveParts]: number };

/** Add to a sum, so many times, part by part. */
export function addParts(sum: SumOfParts, parts: ObjectiveParts, times: 1 | -1): void {
  // By name: this is done for every copy of a fleet.
  sum.storagePerMonth += times * parts.storagePerMonth;
  sum.requestsPerMonth += times * parts.requestsPerMonth;
  sum.retrievalPerMonth += times * parts.retrievalPerMonth;
  sum.egressPerMonth += times * parts.egressPerMonth;
  sum.waitingPerMonth += times * parts.waitingPerMonth;
  sum.riskPerMonth += times * parts.riskPerMonth;
  sum.wayTherePerMonth += times * parts.wayTherePerMonth;
  sum.copyingPerMonth += times * parts.copyingPerMonth;
  sum.restPerMonth += times * parts.restPerMonth;
}

export const noParts: SumOfParts = {
  storagePerMonth: 0,
  requestsPerMonth: 0,
  retrievalPerMonth: 0,
  egressPerMonth: 0,
  waitingPerMonth: 0,
  riskPerMonth: 0,
  wayTherePerMonth: 0,
  copyingPerMonth: 0,
  restPerMonth: 0,
};
export const partNames = Object.keys(noParts) as (keyof ObjectiveParts)[];

/**
 * What is left of what a move saves: once all that a move costs, spread over the horizon, is taken off, and once the policy's margin is too,
 * dollars per month.
 */
export function slackOf(stay: ObjectiveParts, there: ObjectiveParts, marginPerMonth: number): { readonly overWay: number; readonly overMargin: number } {
  const overWay = objectiveOf(stay) - objectiveOf({ ...there, restPerMonth: 0 });
  return { overWay, overMargin: overWay - marginPerMonth };
}

/** Whether a move pays itself back within the horizon and saves the policy's margin besides: a move that saves nothing is none. */
export function pays(stay: ObjectiveParts, there: ObjectiveParts, marginPerMonth: number): boolean {
  const { overWay, overMargin } = slackOf(stay, there, marginPerMonth);
  return overWay > 0 && overMargin >= 0;
}

/** Add to a sum, so many times, the objective of all paid copies of the dataset where they are, by part. */
export function addPresentParts(sum: SumOfParts, context: ObjectiveContext, dataset: DatasetFacts, use: ExpectedUse, times: 1 | -1): void {
  const { targets } = indexOf(context.snapshot);
  for (const replica of dataset.replicas) {
    const target = isPaid(replica) ? targets.get(replica.targetId) : undefined;
    if (target !== undefined) addParts(sum, presentPartsAt(context, dataset, replica, target, use), times);
  }
}

function presentPartsAt(context: ObjectiveContext, dataset: DatasetFacts, replica: ReplicaFacts, target: TargetFacts, use: ExpectedUse): ObjectiveParts {
  return objectiveParts(context, asHeldBy(dataset, replica), roleOf(dataset, replica), target, { kind: 'there' }, use);
}

/** Its sum, US dollars per month: what the policy's margin is a share of. */
export function presentObjective(context: ObjectiveContext, dataset: DatasetFacts, use: ExpectedUse): number {
  const { targets } = indexOf(context.snapshot);
  return dataset.replicas.reduce((dollars, replica) => {
    const target = isPaid(replica) ? targets.get(replica.targetId) : undefined;
    return target === undefined ? dollars : dollars + objectiveOf(presentPartsAt(context, dataset, replica, target, use));
  }, 0);
}

/** The part that a copy plays in its dataset. */
export function roleOf(dataset: DatasetFacts, replica: ReplicaFacts): CopyRole {
  return replica.replicaId === dataset.primaryReplicaId ? 'primary' : 'copy';
}
