import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import { type JudgedTarget, judgeTargets } from '../policy/allowed-targets.ts';
import { type CopyRole, type PolicyRule, violationsOfExistingCopy } from '../policy/violations.ts';
import { copiesOf } from '../reconcile/copies.ts';
import { fasterCopies } from '../reconcile/promotions.ts';
import type { Infeasible } from './plan.ts';
import { wayOut } from './way-out.ts';

/** Why a policy can not be met: `never` by what the fleet is, `now` for want of room, or of places that can not be used at the moment. */
export interface PolicyVerdict extends Infeasible {
  readonly when: 'never' | 'now';
  readonly text: string;
}

/** What a person set and only a person changes, in the policy or by another target; all other rules come and go with room, repair and measurement. */
const lasting: readonly PolicyRule[] = ['region', 'encryption', 'forbidden-target', 'pinned-targets', 'max-cost', 'latency-slo'];

/**
 * Whether the copies that a dataset's policy wants could stand in this fleet, each copy apart from the others, as it would be with all places whole and
 * empty, and as it is. Null: they could. Also null while there is no target: then nothing is known yet.
 */
export function policyVerdict(
  snapshot: FleetSnapshot,
  dataset: DatasetFacts,
  health: ReadonlyMap<TargetId, TargetHealth>,
  heat: Heat | undefined,
): PolicyVerdict | null {
  if (snapshot.targets.length === 0) return null;
  const ever = (role: CopyRole): JudgedTarget[] => judgeTargets(snapshot, dataset, role, health).map(lastingOnly);
  const never = pinsClash(snapshot, dataset, ever('copy'), heat) ?? tooFew(dataset, ever, [], false, heat);
  if (never !== null) return { ...never, when: 'never', text: `no place of this fleet can meet this policy: ${never.rules.join(' and ')}` };
  const standing = standingCopies(snapshot, dataset, health);
  const faster = fasterCopies(snapshot, dataset, copiesOf(snapshot, dataset, health)).length > 0;
  const keepsPrimary = faster || standing.some((replica) => replica.replicaId === dataset.primaryReplicaId);
  const judged = (role: CopyRole): JudgedTarget[] => judgeTargets(snapshot, dataset, role, health);
  const { targets } = indexOf(snapshot);
  const held = standing.map((replica) => domainOf(targets.get(replica.targetId)!, dataset.policy.spread));
  const now = tooFew(dataset, judged, held, keepsPrimary, heat);
  return now === null ? null : { ...now, when: 'now', text: `no place can meet this policy now: ${now.rules.join(' and ')}` };
}

function lastingOnly({ target, violations }: JudgedTarget): JudgedTarget {
  // A place that was never measured may prove to be fast enough.
  return { target, violations: violations.filter(({ rule }) => lasting.includes(rule) && (rule !== 'latency-slo' || target.latencyP95Ms !== null)) };
}

/** Copies that stand where the policy wants them, and count. */
function standingCopies(snapshot: FleetSnapshot, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>): readonly ReplicaFacts[] {
  const { targets } = indexOf(snapshot);
  return copiesOf(snapshot, dataset, health).counted.filter((replica) => {
    const target = targets.get(replica.targetId);
    const role = replica.replicaId === dataset.primaryReplicaId ? 'primary' : 'copy';
    return target !== undefined && violationsOfExistingCopy(dataset.policy, target, role).length === 0;
  });
}

/** No place for the primary, or fewer places apart from each other than copies. */
function tooFew(
  dataset: DatasetFacts,
  judge: (role: CopyRole) => JudgedTarget[],
  held: readonly string[],
  keepsPrimary: boolean,
  heat: Heat | undefined,
): Infeasible | null {
  const forPrimary = judge('primary');
  if (!keepsPrimary && forPrimary.every(({ violations }) => violations.length > 0)) return wayOut(dataset, forPrimary, new Set(), 'primary', heat);
  const forCopies = judge('copy');
  const open = forCopies.filter(({ violations }) => violations.length === 0).map(({ target }) => domainOf(target, dataset.policy.spread));
  const apart = new Set([...held, ...open]);
  return apart.size >= dataset.policy.copies ? null : wayOut(dataset, forCopies, apart, 'copy', heat);
}

/** Pins that nothing can follow: to a place that another rule forbids, too near to each other, or more than there are copies. */
function pinsClash(snapshot: FleetSnapshot, dataset: DatasetFacts, judged: readonly JudgedTarget[], heat: Heat | undefined): Infeasible | null {
  const { pinnedTargets, copies, spread } = dataset.policy;
  const pinned = judged.filter(({ target }) => pinnedTargets.includes(target.targetId));
  for (const one of pinned) {
    if (one.violations.length === 0) continue;
    const way = wayOut(dataset, [one], new Set(), 'copy', heat);
    return { ...way, rules: ['pinned-targets', ...way.rules] };
  }
  const { targets } = indexOf(snapshot);
  const domains = Map.groupBy(
    pinnedTargets.flatMap((targetId) => targets.get(targetId) ?? []),
    (target) => domainOf(target, spread),
  );
  const near = [...domains.values()].find((together) => together.length > 1);
  if (near !== undefined)
    return {
      datasetId: dataset.datasetId,
      rules: ['pinned-targets', 'spread'],
      cheapestWayOut: `pin a copy to one of ${near.map(({ targetId }) => targetId).join(' and ')} only, or ask for less distance between copies than "${spread}"`,
    };
  if (pinnedTargets.length <= copies) return null;
  return { datasetId: dataset.datasetId, rules: ['pinned-targets', 'copies'], cheapestWayOut: `want ${pinnedTargets.length} copies, or pin ${copies} only` };
}
