import type { PolicyVerdictView } from '@data-in-motion/shared/api/explanation';

/** A policy that was set and can not be met, in one line. */
export function warningText({ text, cheapestWayOut }: PolicyVerdictView): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}. Cheapest way out: ${cheapestWayOut}.`;
}

/** Whether a change was refused because no place can meet the policy: then a person may insist. */
export function isRefusedPolicy(failed: { readonly code: string } | null): boolean {
  return failed?.code === 'policy.infeasible';
}
