import { copyOnce, daysPerMonth, leaveOnce } from '../fleet/copy-cost.ts';
import type { PlacementSettings } from '../fleet/decision-settings.ts';
import { indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { ExpectedUse } from '../heat/forecast-use.ts';
import type { CopyRole } from '../policy/violations.ts';
import { isPaid, replicaCost, waitingPerMonth } from './cost.ts';
import type { CostParts } from './plan.ts';

/**
 * What is minimised for one copy at one place, by part, US dollars per month: the bill, and what nobody bills but counts all the same.
 * A part is added here and in `objectiveParts`, nowhere else: solver and explanation both read it from there.
 */
export interface ObjectiveParts extends Omit<CostParts, 'migrationOnce'> {
  /** What readers' waiting is worth; the primary only. */
  readonly waitingPerMonth: number;
  /** What bringing the copy there costs once, spread over the horizon; 0 where it is. */
  readonly wayTherePerMonth: number;
}

/** How a copy comes to a place: it is there, it is read from another one that stays, or from the one that it replaces. */
export type Way =
  | { readonly kind: 'there' }
  | { readonly kind: 'copy'; readonly from: ReplicaFacts | null }
  | { readonly kind: 'move'; readonly from: ReplicaFacts };

/** What the parts are reckoned from besides the dataset and the place. */
export interface ObjectiveContext {
  readonly snapshot: FleetSnapshot;
  readonly settings: PlacementSettings;
}

/** The parts of the objective of a copy of the dataset at a target, where it plays this role and comes there this way. */
export function objectiveParts(
  context: ObjectiveContext,
  dataset: DatasetFacts,
  role: CopyRole,
  target: TargetFacts,
  way: Way,
  use: ExpectedUse,
): ObjectiveParts {
  const { migrationOnce: _, ...bill } = replicaCost(target, role, dataset.sizeBytes, use);
  return {
    ...bill,
    waitingPerMonth: waitingPerMonth(target, role, use, context.settings.dollarsPerReadSec),
    wayTherePerMonth: (wayOnce(context.snapshot, dataset, target, way) * daysPerMonth) / context.settings.horizonDays,
  };
}

/** What bringing the copy there costs once, with what its old place still bills when it leaves too early, US dollars. */
export function wayOnce(snapshot: FleetSnapshot, dataset: DatasetFacts, to: TargetFacts, way: Way): number {
  const from = way.kind === 'there' || way.from === null ? undefined : indexOf(snapshot).targets.get(way.from.targetId);
  if (way.kind === 'there' || way.from === null || from === undefined) return 0;
  return copyOnce(from, to, dataset) + (way.kind === 'move' ? leaveOnce(from, way.from, dataset.sizeBytes, snapshot.takenAtMs) : 0);
}

/** The sum of the parts: the objective, US dollars per month. */
export function objectiveOf(parts: ObjectiveParts): number {
  return Object.values(parts).reduce((sum: number, part: number) => sum + part, 0);
}

/** The objective without the way there: what it goes on costing, and what a move is paid back from. */
export function lastingPerMonth(parts: ObjectiveParts): number {
  return objectiveOf({ ...parts, wayTherePerMonth: 0 });
}

/**
 * What is left of what a move saves: once the way there is taken off, and once the policy's margin is, dollars per month.
 * It is made when it saves anything and neither is below 0.
 */
export function slackOf(stay: ObjectiveParts, there: ObjectiveParts, marginPerMonth: number): { readonly overWay: number; readonly overMargin: number } {
  const saving = objectiveOf(stay) - lastingPerMonth(there);
  return { overWay: objectiveOf(stay) - objectiveOf(there), overMargin: saving - marginPerMonth };
}

/** Whether a move pays itself back within the horizon and saves as much as the policy's margin asks. */
export function pays(stay: ObjectiveParts, there: ObjectiveParts, marginPerMonth: number): boolean {
  const { overWay, overMargin } = slackOf(stay, there, marginPerMonth);
  return objectiveOf(stay) > lastingPerMonth(there) && overWay >= 0 && overMargin >= 0;
}

/** The objective of all paid copies of the dataset where they are, US dollars per month: what the policy's margin is a share of. */
export function presentObjective(context: ObjectiveContext, dataset: DatasetFacts, use: ExpectedUse): number {
  const { targets } = indexOf(context.snapshot);
  return dataset.replicas.filter(isPaid).reduce((sum, replica) => {
    const target = targets.get(replica.targetId);
    return target === undefined ? sum : sum + objectiveOf(objectiveParts(context, dataset, roleOf(dataset, replica), target, { kind: 'there' }, use));
  }, 0);
}

/** The part that a copy plays in its dataset. */
export function roleOf(dataset: DatasetFacts, replica: ReplicaFacts): CopyRole {
  return replica.replicaId === dataset.primaryReplicaId ? 'primary' : 'copy';
}
