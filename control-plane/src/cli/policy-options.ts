import type { PolicyView } from '@data-in-motion/shared/api/datasets';
import { policyModes, spreads } from '@data-in-motion/shared/domain/policy';
import type { Command } from 'commander';
import { duration, percent, unitPrice } from './figures.ts';
import { facts } from './table.ts';
import { collect, oneOf, parseCount, parseDuration, parseMoney, parseShare } from './units.ts';

export interface PolicyOptions {
  copies?: number;
  spread?: (typeof spreads)[number];
  latencySlo?: number;
  maxCost?: number;
  region?: string[];
  encrypted?: boolean;
  pin?: string[];
  forbid?: string[];
  mode?: (typeof policyModes)[number];
  cutoff?: number;
  margin?: number;
  force?: true;
}

/** The fields of a policy as options of a command; only what is given changes. */
export function addPolicyOptions(command: Command): Command {
  return command
    .option('--copies <n>', 'verified copies to keep', parseCount)
    .option('--spread <what>', `no two copies on the same ${spreads.join(', ')}`, oneOf(spreads))
    .option('--latency-slo <duration>', 'highest 95th percentile latency of the primary copy, such as 50ms', parseDuration)
    .option('--max-cost <dollars>', 'highest storage price of a copy per GB and month, such as 0.02', parseMoney)
    .option('--region <region>', 'a region where copies may be; again for more', collect)
    .option('--encrypted', 'only targets that encrypt at rest')
    .option('--no-encrypted', 'targets that do not encrypt are allowed')
    .option('--pin <target>', 'a target that must hold a copy; again for more', collect)
    .option('--forbid <target>', 'a target that must not; again for more', collect)
    .option('--mode <mode>', `${policyModes.join(' or ')}: whether moves for heat and cost wait for a person`, oneOf(policyModes))
    .option('--cutoff <share>', 'move for heat or cost only when the forecast is this sure', parseShare)
    .option('--margin <share>', 'and only when it saves this share', parseShare)
    .option('--force', 'also where no place of the fleet can meet it, because one is about to be added');
}

export function policyPatchOf(options: PolicyOptions): Partial<PolicyView> {
  return {
    ...(options.copies === undefined ? {} : { copies: options.copies }),
    ...(options.spread === undefined ? {} : { spread: options.spread }),
    ...(options.latencySlo === undefined ? {} : { latencySloMs: options.latencySlo }),
    ...(options.maxCost === undefined ? {} : { maxCostPerGbMonth: options.maxCost }),
    ...(options.region === undefined ? {} : { regions: options.region }),
    ...(options.encrypted === undefined ? {} : { encryptionRequired: options.encrypted }),
    ...(options.pin === undefined ? {} : { pinnedTargets: options.pin }),
    ...(options.forbid === undefined ? {} : { forbiddenTargets: options.forbid }),
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    ...(options.cutoff === undefined ? {} : { probabilityCutoff: options.cutoff }),
    ...(options.margin === undefined ? {} : { forecastMargin: options.margin }),
  };
}

/** As a query, where the person insists. */
export function forceOf(options: PolicyOptions): { readonly query?: { readonly force: 'true' } } {
  return options.force === true ? { query: { force: 'true' } } : {};
}

/** A policy in words; a field of the dataset's own is marked. */
export function policyText(policy: PolicyView, own: Partial<PolicyView> = {}): string {
  const mark = (field: keyof PolicyView): string => (own[field] === undefined ? '' : '  (its own)');
  return facts([
    ['copies', `${policy.copies}, no two on the same ${policy.spread}${mark('copies') || mark('spread')}`],
    ['latency', `${policy.latencySloMs === null ? 'any' : `at most ${duration(policy.latencySloMs)} (p95, primary)`}${mark('latencySloMs')}`],
    ['price', `${policy.maxCostPerGbMonth === null ? 'any' : `at most ${unitPrice(policy.maxCostPerGbMonth)} per GB and month`}${mark('maxCostPerGbMonth')}`],
    ['regions', `${policy.regions.length === 0 ? 'any' : policy.regions.join(', ')}${mark('regions')}`],
    ['encryption', `${policy.encryptionRequired ? 'required' : 'not required'}${mark('encryptionRequired')}`],
    ['pinned', `${policy.pinnedTargets.join(', ') || 'none'}${mark('pinnedTargets')}`],
    ['forbidden', `${policy.forbiddenTargets.join(', ') || 'none'}${mark('forbiddenTargets')}`],
    ['mode', `${policy.mode}${mark('mode')}; moves when ${percent(policy.probabilityCutoff)} sure and ${percent(policy.forecastMargin)} cheaper`],
  ]);
}
