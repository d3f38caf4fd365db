import { faultsUndone } from './faults-undone.ts';
import type { Invariant } from './invariant.ts';
import { noEffectTwice } from './no-effect-twice.ts';
import { nothingLeftBehind } from './nothing-left-behind.ts';
import { oneGoodCopy } from './one-good-copy.ts';
import { pointerChain } from './pointer-chain.ts';
import { policyMet } from './policy-met.ts';
import { telemetryWhole } from './telemetry-whole.ts';
import { verifiedIsEqual } from './verified-is-equal.ts';

/** What a scenario may promise, by the names that scenario files use. A new promise is one file and one row here. */
export const invariants = {
  'one-good-copy': oneGoodCopy,
  'verified-is-equal': verifiedIsEqual,
  'pointer-chain': pointerChain,
  'no-effect-twice': noEffectTwice,
  'faults-undone': faultsUndone,
  'policy-met': policyMet,
  'telemetry-whole': telemetryWhole,
  'nothing-left-behind': nothingLeftBehind,
} as const satisfies Record<string, Invariant>;
export type InvariantName = keyof typeof invariants;
export const invariantNames = Object.keys(invariants) as InvariantName[];
