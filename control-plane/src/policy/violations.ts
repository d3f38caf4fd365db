import type { Policy } from '@data-in-motion/shared/domain/policy';
import { freeBytes } from '../fleet/lookup.ts';
import type { TargetFacts } from '../fleet/snapshot.ts';
import { bytesText, msText, priceText } from '../fleet/words.ts';
import type { TargetHealth } from '../health/target-health.ts';

/** The rules that can keep a copy from a place, by the names that answers and screens use. The order is the one in which they are told. */
export const placeRules = [
  'region',
  'encryption',
  'forbidden-target',
  'pinned-targets',
  'max-cost',
  'latency-slo',
  'price-unknown',
  'risky-device',
  'not-usable',
  'capacity',
] as const;
export type PlaceRule = (typeof placeRules)[number];
/** And those that concern the copies of a dataset together. */
export type PolicyRule = PlaceRule | 'spread' | 'copies';

export interface Violation {
  readonly rule: PlaceRule;
  /** One sentence with the values that clash. */
  readonly text: string;
}

/** The part that a copy plays: readers use the primary, so only the primary owes them latency. */
export type CopyRole = 'primary' | 'copy';

/**
 * Which rules forbid a NEW copy of a dataset on a target. Empty: it may go there.
 *
 * @param sizeBytes what the copy would fill; compared with what is still free above the reserve and what jobs were promised
 */
export function violationsOfNewCopy(policy: Policy, target: TargetFacts, role: CopyRole, health: TargetHealth | undefined, sizeBytes: number): Violation[] {
  const found = [...violationsOfPlace(policy, target), ...latencyViolation(policy, target, role, 'unmeasured-violates')];
  if (target.prices === null)
    found.push({ rule: 'price-unknown', text: `the price book does not know "${target.priceClass}", so ${target.targetId} takes nothing new` });
  if (health?.riskyDeviceId != null)
    found.push({ rule: 'risky-device', text: (health.otherwise === null ? health.reason : null) ?? `device ${health.riskyDeviceId} is risky` });
  if (health === undefined || health.otherwise !== null) found.push({ rule: 'not-usable', text: health?.otherwise ?? `${target.targetId} is not known` });
  // How full a place is that can not be used now may never have been told.
  if (found.some(({ rule }) => rule === 'not-usable')) return found;
  const free = freeBytes(target);
  if (sizeBytes > free) found.push({ rule: 'capacity', text: `${target.targetId} has ${bytesText(free)} left, ${bytesText(sizeBytes)} are needed` });
  return found;
}

/**
 * Which rules of policy an EXISTING copy breaks where it is. What is measured or known only later (price, latency) does not drive it away until it is;
 * a risky device, a lost node and a full disk are matters of health, not of policy.
 */
export function violationsOfExistingCopy(policy: Policy, target: TargetFacts, role: CopyRole): Violation[] {
  return [...violationsOfPlace(policy, target), ...latencyViolation(policy, target, role, 'unmeasured-passes')];
}

function violationsOfPlace(policy: Policy, target: TargetFacts): Violation[] {
  const found: Violation[] = [];
  if (policy.regions.length > 0 && !policy.regions.includes(target.region)) {
    found.push({ rule: 'region', text: `${target.targetId} is in ${target.region}, allowed is ${policy.regions.join(', ')}` });
  }
  if (policy.encryptionRequired && !target.encryptedAtRest) found.push({ rule: 'encryption', text: `${target.targetId} is not encrypted at rest` });
  if (policy.forbiddenTargets.includes(target.targetId)) found.push({ rule: 'forbidden-target', text: `${target.targetId} is forbidden for this dataset` });
  if (policy.pinnedTargets.length >= policy.copies && !policy.pinnedTargets.includes(target.targetId)) {
    found.push({ rule: 'pinned-targets', text: `all ${policy.copies} copies are pinned to ${policy.pinnedTargets.join(', ')}` });
  }
  const cap = policy.maxCostPerGbMonth;
  const price = target.prices?.storagePerGbMonth;
  if (cap !== null && price !== undefined && price > cap)
    found.push({ rule: 'max-cost', text: `${target.targetId} costs ${priceText(price)} per GB and month, allowed is ${priceText(cap)}` });
  return found;
}

function latencyViolation(policy: Policy, target: TargetFacts, role: CopyRole, unmeasured: 'unmeasured-violates' | 'unmeasured-passes'): Violation[] {
  if (policy.latencySloMs === null || role === 'copy') return [];
  if (target.latencyP95Ms === null) {
    return unmeasured === 'unmeasured-passes'
      ? []
      : [{ rule: 'latency-slo', text: `the latency of ${target.targetId} has not been measured yet, and ${policy.latencySloMs} ms are promised` }];
  }
  if (target.latencyP95Ms <= policy.latencySloMs) return [];
  return [
    {
      rule: 'latency-slo',
      text: `${target.targetId} answers within ${msText(target.latencyP95Ms)} (p95), promised are ${policy.latencySloMs} ms`,
    },
  ];
}
