import type { TargetId } from './ids.ts';

/** How far apart the copies of a dataset must be. */
export const spreads = ['target', 'node', 'site', 'provider'] as const;
export type Spread = (typeof spreads)[number];

export const policyModes = ['advisory', 'automated'] as const;
export type PolicyMode = (typeof policyModes)[number];

/** What a dataset must have. A dataset's own fields stand over the global ones. */
export interface Policy {
  readonly copies: number;
  readonly spread: Spread;
  /** Highest p95 latency of the primary copy; null: any. */
  readonly latencySloMs: number | null;
  /** Highest storage price of any copy; null: any. */
  readonly maxCostPerGbMonth: number | null;
  /** Where copies may be; empty: anywhere. */
  readonly regions: readonly string[];
  readonly encryptionRequired: boolean;
  readonly pinnedTargets: readonly TargetId[];
  readonly forbiddenTargets: readonly TargetId[];
  /** `advisory` recommends, `automated` acts. Repair of what policy already promised is always done. */
  readonly mode: PolicyMode;
  /** A move for heat or cost is made only when the forecast is at least this sure, 0 to 1. */
  readonly probabilityCutoff: number;
  /** …and saves at least this share of the present cost, 0 to 1: hysteresis. */
  readonly forecastMargin: number;
}

export type PolicyOverride = { readonly [Field in keyof Policy]?: Policy[Field] | undefined };

export const defaultPolicy: Policy = {
  copies: 2,
  spread: 'site',
  latencySloMs: null,
  maxCostPerGbMonth: null,
  regions: [],
  encryptionRequired: false,
  pinnedTargets: [],
  forbiddenTargets: [],
  mode: 'automated',
  probabilityCutoff: 0.6,
  forecastMargin: 0.05,
};

/** The policy in force: the global one with the dataset's own fields over it. */
export function effectivePolicy(global: Policy, own: PolicyOverride): Policy {
  const defined = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return { ...global, ...defined };
}
