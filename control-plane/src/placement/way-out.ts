import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { Stored } from '../fleet/copy-cost.ts';
import { domainOf } from '../fleet/lookup.ts';
import type { DatasetFacts } from '../fleet/snapshot.ts';
import { dollarsText, priceText } from '../fleet/words.ts';
import { expectedUse } from '../heat/expected-use.ts';
import { clashingRules, type JudgedTarget } from '../policy/allowed-targets.ts';
import type { CopyRole, PolicyRule } from '../policy/violations.ts';
import { perMonth, replicaCost } from './cost.ts';
import type { Infeasible } from './plan.ts';

/**
 * Which rules leave no place for a copy, and the cheapest single change that would open one.
 *
 * @param judged every target with what forbids the copy there, whichever rule that is
 * @param taken spread domains that have a copy
 */
export function wayOut(
  dataset: DatasetFacts,
  judged: readonly JudgedTarget[],
  taken: ReadonlySet<string>,
  role: CopyRole,
  heat: Heat | undefined,
  stored: Stored = dataset,
): Infeasible {
  const clash = clashingRules(judged, taken, dataset);
  // Places are allowed and still there is none: others of the same plan take their room.
  const rules: PolicyRule[] = clash.length > 0 ? clash : ['capacity'];
  const use = expectedUse(heat);
  const ways = judged.flatMap(({ target, violations }) => {
    const broken = new Set<PolicyRule>(violations.map((violation) => violation.rule));
    if (taken.has(domainOf(target, dataset.policy.spread))) broken.add('spread');
    if (clash.length === 0 && broken.size === 0) broken.add('capacity');
    const only = broken.size === 1 && rules.includes([...broken][0]!) ? [...broken][0]! : null;
    if (only === null || target.prices === null) return [];
    return [{ rule: only, target, dollarsPerMonth: perMonth(replicaCost(target, role, stored, use)) }];
  });
  const best = ways.sort((a, b) => ease(a.rule) - ease(b.rule) || a.dollarsPerMonth - b.dollarsPerMonth || (a.target.targetId < b.target.targetId ? -1 : 1))[0];
  return {
    datasetId: dataset.datasetId,
    rules,
    cheapestWayOut:
      best === undefined
        ? noSingleChange(dataset.datasetId, rules)
        : `${change(best.rule, dataset, best.target)}: ${dollarsText(best.dollarsPerMonth)} a month there`,
  };
}

/** What a person can simply write into the policy comes before what needs hands or waits for a repair. */
function ease(rule: PolicyRule): number {
  return rule === 'risky-device' || rule === 'not-usable' || rule === 'capacity' ? 1 : 0;
}

function change(rule: PolicyRule, dataset: DatasetFacts, target: JudgedTarget['target']): string {
  switch (rule) {
    case 'latency-slo':
      return target.latencyP95Ms === null
        ? `let ${target.targetId} be measured`
        : `allow a latency of ${Math.ceil(target.latencyP95Ms)} ms, which ${target.targetId} keeps`;
    case 'max-cost':
      return `allow ${priceText(target.prices?.storagePerGbMonth ?? 0)} per GB and month, the price of ${target.targetId}`;
    case 'region':
      return `allow the region ${target.region}, where ${target.targetId} is`;
    case 'encryption':
      return `encrypt ${target.targetId} at rest, or no longer require it`;
    case 'forbidden-target':
      return `no longer forbid ${target.targetId}`;
    case 'pinned-targets':
      return `pin a copy to ${target.targetId} too`;
    case 'spread':
      if (dataset.policy.spread === 'target') return `want fewer than ${dataset.policy.copies} copies: there are no more targets`;
      return `ask for less distance between copies than "${dataset.policy.spread}", so that ${target.targetId} may hold another`;
    case 'capacity':
      return `make room on ${target.targetId}`;
    case 'risky-device':
      return `replace the risky drive of ${target.targetId}`;
    case 'not-usable':
      return `bring ${target.targetId} back`;
    case 'price-unknown':
      return `enter the price of "${target.priceClass}"`;
    case 'copies':
      return `want fewer than ${dataset.policy.copies} copies`;
  }
}

function noSingleChange(datasetId: DatasetId, rules: readonly string[]): string {
  const change = rules.length === 1 ? `change more than ${rules[0]}` : `change ${rules.join(' and ')} together`;
  return `no single change opens a place for ${datasetId}: ${change}, or add a target that fits`;
}
