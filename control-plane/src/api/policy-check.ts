import type { PolicyVerdictView } from '@data-in-motion/shared/api/explanation';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { Policy, PolicyOverride } from '@data-in-motion/shared/domain/policy';
import { Failure } from '@data-in-motion/shared/failure';
import type { DatasetFacts } from '../fleet/snapshot.ts';
import { unusedDataset } from '../fleet/unused-dataset.ts';
import { targetHealth } from '../health/target-health.ts';
import { policyVerdict } from '../placement/policy-verdict.ts';
import type { PolicyRule } from '../policy/violations.ts';
import { type FleetRows, factsOf } from './fleet-rows.ts';

/** The fields of a policy that a rule comes from. */
const fieldsOf: Readonly<Partial<Record<PolicyRule, readonly (keyof Policy)[]>>> = {
  region: ['regions'],
  encryption: ['encryptionRequired'],
  'forbidden-target': ['forbiddenTargets'],
  'pinned-targets': ['pinnedTargets'],
  'max-cost': ['maxCostPerGbMonth'],
  'latency-slo': ['latencySloMs'],
  spread: ['spread', 'copies'],
  copies: ['copies'],
};

/** What a policy is checked for: a dataset that is there, or one of this size that is to be. */
export type Asked = { readonly datasetId: DatasetId } | { readonly sizeBytes: number };

/**
 * What is told about a policy that is being set and can not be met; null where it can.
 *
 * @param set the fields that the request sets: a request is refused for what it asks for, not for what was there before
 * @throws refused `policy.infeasible` when a field of the request makes it impossible in this fleet for good and `force` is not given
 */
export function checkPolicy(rows: FleetRows, asked: Asked, policy: Policy, set: PolicyOverride, force: boolean): PolicyVerdictView | null {
  const dataset = askedFacts(rows, asked, policy);
  const verdict = policyVerdict(rows.snapshot, dataset, targetHealth(rows.snapshot), rows.heats.get(dataset.datasetId));
  if (verdict === null) return null;
  const isAsked = verdict.rules.some((rule) => fieldsOf[rule as PolicyRule]?.some((field) => set[field] !== undefined) === true);
  if (verdict.when === 'never' && isAsked && !force)
    throw new Failure('refused', {
      code: 'policy.infeasible',
      message: `${verdict.text.slice(0, 1).toUpperCase()}${verdict.text.slice(1)}.`,
      hint: `Cheapest way out: ${verdict.cheapestWayOut}. Where a target that fits is about to be added, set it all the same (force).`,
    });
  const { when, rules, text, cheapestWayOut } = verdict;
  return { when, rules: [...rules], text, cheapestWayOut };
}

function askedFacts(rows: FleetRows, asked: Asked, policy: Policy): DatasetFacts {
  const known = 'datasetId' in asked ? factsOf(rows, asked.datasetId) : undefined;
  if (known !== undefined) return { ...known, policy };
  const datasetId = ('datasetId' in asked ? asked.datasetId : 'the dataset') as DatasetId;
  return unusedDataset({ datasetId, policy, sizeBytes: 'sizeBytes' in asked ? asked.sizeBytes : 0, createdAtMs: rows.asOfMs });
}
