import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { asHeldBy, domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { ExpectedUse } from '../heat/expected-use.ts';
import { judgeTargets } from '../policy/allowed-targets.ts';
import { type CopyRole, type PolicyRule, violationsOfExistingCopy } from '../policy/violations.ts';
import { copiesOf } from '../reconcile/copies.ts';
import { datasetNeeds, type Need } from '../reconcile/needs.ts';
import { fasterCopies } from '../reconcile/promotions.ts';
import { type AskContext, heldTargets } from './asks.ts';
import { lastingPerMonth, type ObjectiveParts, objectiveOf, objectiveParts, presentObjective, roleOf, type Way, wayOnce } from './objective.ts';
import { sourceFor, sourcesOf } from './read-source.ts';

/** What keeps a copy from a place: a rule, or that another copy of the dataset is there, which nothing lifts. */
export interface Obstacle {
  readonly rule: PolicyRule | 'holds-a-copy';
  /** One sentence with the values that clash. */
  readonly text: string;
}

/** A place where a copy is or could be, and what it would cost there. */
export interface Place {
  readonly target: TargetFacts;
  /** Empty: the copy may be there. Of the place where it is: what drives it away. */
  readonly obstacles: readonly Obstacle[];
  readonly parts: ObjectiveParts;
  /** The sum of the parts, dollars per month. */
  readonly objective: number;
  /** The same without the way there. */
  readonly lasting: number;
  /** Dollars, once. */
  readonly migrationOnce: number;
}

/** One copy and every place for it, while the other copies of the dataset stay where they are. */
export interface CopyPlaces {
  readonly dataset: DatasetFacts;
  readonly replica: ReplicaFacts;
  readonly role: CopyRole;
  readonly here: Place;
  readonly others: readonly Place[];
  /** The same with the ways as they were if it did not have to leave its drive or place, and could be read like any other; null where it can be. */
  readonly othersOnceItCounts: readonly Place[] | null;
  /** The need that is about this copy; null while it stands well. */
  readonly need: Need | null;
  /** It is on a target that the policy pins a copy to: it never leaves for being cheaper elsewhere. */
  readonly isPinned: boolean;
  /** A copy that readers are sent to instead, because this one is slower than promised and that one is not. */
  readonly faster: TargetId | null;
  /** What a move must save beyond nothing, dollars per month. */
  readonly marginPerMonth: number;
}

/** Every place for a copy, for what it holds, in the snapshot's order; null when its present place is not known. */
export function placesOfCopy(context: AskContext, dataset: DatasetFacts, replica: ReplicaFacts, use: ExpectedUse): CopyPlaces | null {
  const { snapshot, health } = context;
  const target = indexOf(snapshot).targets.get(replica.targetId);
  if (target === undefined) return null;
  const role = roleOf(dataset, replica);
  const held = asHeldBy(dataset, replica);
  const copies = copiesOf(snapshot, dataset, health);
  const need = datasetNeeds(snapshot, dataset, health).find((each) => each.replicaId === replica.replicaId && each.answer !== 'add') ?? null;
  const faster = role === 'primary' ? (fasterCopies(snapshot, dataset, copies)[0] ?? null) : null;
  const { pinnedTargets } = dataset.policy;
  const goesToPin = need?.answer === 'leave' && need.rules.includes('pinned-targets') && pinnedTargets.length > 0;
  const taken = domainsOfOthers(context, dataset, replica);
  const occupied = heldTargets(dataset);
  // A copy of another version has itself alone.
  const sources = replica.versionId === dataset.versionId ? sourcesOf(dataset, copies, health) : [];
  const judged = judgeTargets(snapshot, held, role, health).filter(({ target: to }) => to.targetId !== replica.targetId);
  const obstaclesAt = judged.map(({ target: to, violations }): readonly Obstacle[] => {
    const obstacles: Obstacle[] = [...violations];
    const domain = domainOf(to, dataset.policy.spread);
    if (taken.has(domain)) obstacles.push({ rule: 'spread', text: `another copy is at the same ${dataset.policy.spread}` });
    if (occupied.has(to.targetId)) obstacles.push({ rule: 'holds-a-copy', text: `${to.targetId} holds a copy of it already` });
    if (goesToPin && !pinnedTargets.includes(to.targetId) && !obstacles.some(({ rule }) => rule === 'pinned-targets'))
      obstacles.push({ rule: 'pinned-targets', text: need.reason });
    return obstacles;
  });
  const othersReadFrom = (from: readonly ReplicaFacts[]): Place[] =>
    judged.map(({ target: to }, at) => {
      const read = sourceFor(snapshot, dataset, from, to, replica) ?? replica;
      return place(context, held, role, to, { kind: 'move', from: replica, read }, use, obstaclesAt[at]!);
    });
  return {
    dataset,
    replica,
    role,
    here: place(
      context,
      held,
      role,
      target,
      { kind: 'there' },
      use,
      need === null ? [] : drivesAway(context, dataset, replica, target, faster === null ? role : 'copy', need),
    ),
    others: othersReadFrom(sources),
    othersOnceItCounts: copies.leaving.includes(replica) ? othersReadFrom([...copies.counted, replica]) : null,
    need,
    isPinned: pinnedTargets.includes(replica.targetId),
    faster: faster?.targetId ?? null,
    marginPerMonth: dataset.policy.forecastMargin * presentObjective(context, dataset, use),
  };
}

/** All that would have to change for a copy to stay that is to leave: a need names the gravest only. */
function drivesAway(context: AskContext, dataset: DatasetFacts, replica: ReplicaFacts, here: TargetFacts, role: CopyRole, need: Need): readonly Obstacle[] {
  const place = context.health.get(here.targetId);
  const all: Obstacle[] = [
    ...need.rules.map((rule): Obstacle => ({ rule, text: need.reason })),
    ...violationsOfExistingCopy(dataset.policy, here, role),
    ...(place?.drain === true && place.otherwise !== null ? [{ rule: 'not-usable' as const, text: place.otherwise }] : []),
    ...(isCrowdedOut(context, dataset, replica, here) ? [{ rule: 'spread' as const, text: `another copy is at the same ${dataset.policy.spread}` }] : []),
  ];
  return all.filter(({ rule }, index) => all.findIndex((other) => other.rule === rule) === index);
}

/** Of the copies that stand too near to each other the primary stays, else the oldest. */
function isCrowdedOut({ snapshot, health }: AskContext, dataset: DatasetFacts, replica: ReplicaFacts, here: TargetFacts): boolean {
  if (replica.replicaId === dataset.primaryReplicaId) return false;
  const { targets } = indexOf(snapshot);
  const { spread } = dataset.policy;
  const order = (copy: ReplicaFacts): number => dataset.replicas.indexOf(copy);
  return copiesOf(snapshot, dataset, health).counted.some((other) => {
    const target = targets.get(other.targetId);
    if (other === replica || target === undefined || domainOf(target, spread) !== domainOf(here, spread)) return false;
    const isOlder = other.createdAtMs < replica.createdAtMs || (other.createdAtMs === replica.createdAtMs && order(other) < order(replica));
    return other.replicaId === dataset.primaryReplicaId || isOlder;
  });
}

/** Where the other copies that count are and will be, in the terms of the policy's spread. */
export function domainsOfOthers(context: Pick<AskContext, 'snapshot' | 'health'>, dataset: DatasetFacts, replica: ReplicaFacts): ReadonlySet<string> {
  const { targets } = indexOf(context.snapshot);
  const { counted, comingTo } = copiesOf(context.snapshot, dataset, context.health);
  const places = [...counted.filter((each) => each.replicaId !== replica.replicaId).map((each) => each.targetId), ...comingTo];
  return new Set(places.flatMap((targetId) => targets.get(targetId) ?? []).map((target) => domainOf(target, dataset.policy.spread)));
}

function place(
  context: AskContext,
  dataset: DatasetFacts,
  role: CopyRole,
  target: TargetFacts,
  way: Way,
  use: ExpectedUse,
  obstacles: readonly Obstacle[],
): Place {
  const parts = objectiveParts(context, dataset, role, target, way, use);
  return {
    target,
    obstacles,
    parts,
    objective: objectiveOf(parts),
    lasting: lastingPerMonth(parts),
    migrationOnce: wayOnce(context.snapshot, dataset, target, way),
  };
}
