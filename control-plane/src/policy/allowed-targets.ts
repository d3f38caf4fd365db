import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { domainOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import { type CopyRole, type PolicyRule, type Violation, violationsOfNewCopy } from './violations.ts';

export interface JudgedTarget {
  readonly target: TargetFacts;
  /** Why a new copy may not go there; empty when it may. */
  readonly violations: readonly Violation[];
}

/** Every target of the fleet with what forbids a new copy of the dataset there, in the snapshot's order. */
export function judgeTargets(
  snapshot: FleetSnapshot,
  dataset: DatasetFacts,
  role: CopyRole,
  health: ReadonlyMap<TargetId, TargetHealth>,
  sizeBytes = dataset.sizeBytes,
): JudgedTarget[] {
  return snapshot.targets.map((target) => ({ target, violations: violationsOfNewCopy(dataset.policy, target, role, health.get(target.targetId), sizeBytes) }));
}

/** The targets that may take a new copy of the dataset. */
export function allowedTargets(
  snapshot: FleetSnapshot,
  dataset: DatasetFacts,
  role: CopyRole,
  health: ReadonlyMap<TargetId, TargetHealth>,
  sizeBytes = dataset.sizeBytes,
): TargetFacts[] {
  return judgeTargets(snapshot, dataset, role, health, sizeBytes).flatMap((judged) => (judged.violations.length === 0 ? [judged.target] : []));
}

/**
 * The rules that together leave no place for one more copy: an irreducible set, in which letting go of any one rule opens a place.
 * Found by deletion (Chinneck, Feasibility and Infeasibility in Optimization, 2008): a rule without which there is still no place is not part of the clash.
 *
 * @param taken spread domains that hold a copy already; empty set for a first copy
 * @returns empty when there is a place
 */
export function clashingRules(judged: readonly JudgedTarget[], taken: ReadonlySet<string>, dataset: DatasetFacts): PolicyRule[] {
  const rulesOf = judged.map(({ target, violations }) => {
    const rules = new Set<PolicyRule>(violations.map((violation) => violation.rule));
    if (taken.has(domainOf(target, dataset.policy.spread))) rules.add('spread');
    return rules;
  });
  const blocked = (clash: ReadonlySet<PolicyRule>): boolean => rulesOf.every((rules) => [...rules].some((rule) => clash.has(rule)));
  const clash = new Set(rulesOf.flatMap((rules) => [...rules]));
  if (judged.length === 0) return ['copies'];
  if (!blocked(clash)) return [];
  // Rules that a person can not change are tried last to stay, so that the answer names what can be changed.
  for (const rule of [...clash].sort((a, b) => changeable(a) - changeable(b))) {
    clash.delete(rule);
    if (!blocked(clash)) clash.add(rule);
  }
  return [...clash];
}

/** 0: a fact of the fleet, tried first to be dropped from the clash · 1: what a policy says. */
function changeable(rule: PolicyRule): 0 | 1 {
  return rule === 'capacity' || rule === 'risky-device' || rule === 'not-usable' || rule === 'price-unknown' ? 0 : 1;
}
