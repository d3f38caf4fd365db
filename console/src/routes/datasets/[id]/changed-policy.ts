import type { PolicyView } from '@data-in-motion/shared/api/datasets';

/** A policy as the form holds it: lists as text. */
export type PolicyDraft = Omit<PolicyView, 'regions' | 'pinnedTargets' | 'forbiddenTargets'> & {
  readonly regions: string;
  readonly pinnedTargets: string;
  readonly forbiddenTargets: string;
};

/** Only what differs is sent, so that two people who change different rules do not undo each other. A field that goes back to the global policy is not set. */
export function changedPolicy(
  before: PolicyView,
  draft: PolicyDraft,
  cleared: readonly (keyof PolicyView)[],
): { set: Partial<PolicyView>; clear: (keyof PolicyView)[] } {
  const wanted: PolicyView = {
    ...draft,
    // An emptied number field is undefined in some browsers and null in others.
    latencySloMs: draft.latencySloMs ?? null,
    maxCostPerGbMonth: draft.maxCostPerGbMonth ?? null,
    regions: listed(draft.regions),
    pinnedTargets: listed(draft.pinnedTargets),
    forbiddenTargets: listed(draft.forbiddenTargets),
  };
  const fields = (Object.keys(wanted) as (keyof PolicyView)[]).filter(
    (field) => !cleared.includes(field) && JSON.stringify(wanted[field]) !== JSON.stringify(before[field]),
  );
  return { set: Object.fromEntries(fields.map((field) => [field, wanted[field]])), clear: [...cleared] };
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
