import type { DatasetFacts, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import { dollarsText, priceText } from '../fleet/words.ts';
import { expectedUse } from '../heat/expected-use.ts';
import { datasetNeeds, type Need } from '../reconcile/needs.ts';
import { type AskContext, needAsks, type Option } from './asks.ts';
import { chooseOne } from './choose-one.ts';
import { placesOfCopy } from './places-of-copy.ts';

/**
 * What the next plan would do about a copy, or about one that is missing, while all others stay: by the very sums that the plan is made by.
 * Null where no place is left.
 *
 * @param leaving null: a copy is missing
 */
export function remedyOf(context: AskContext, dataset: DatasetFacts, leaving: ReplicaFacts | null): string | null {
  const needs = datasetNeeds(context.snapshot, dataset, context.health);
  const own = leaving !== null && needs.some((need) => need.replicaId === leaving.replicaId && need.answer !== 'add');
  return own ? aboutCopy(context, dataset, leaving) : aboutMissing(context, dataset, needs);
}

function aboutCopy(context: AskContext, dataset: DatasetFacts, replica: ReplicaFacts): string | null {
  const places = placesOfCopy(context, dataset, replica, expectedUse(context.heats.get(dataset.datasetId)));
  if (places === null) return null;
  const choice = chooseOne(places);
  switch (choice.kind) {
    case 'goes':
      return putOn(dataset, choice.to.target, choice.to.migrationOnce);
    case 'hands-over':
      return `send readers to the copy on ${choice.to}, which is fast enough; ${whoDoes(dataset)}`;
    case 'let-go':
      return `let this copy go: the others are enough; ${whoDoes(dataset)}`;
    case 'stays':
      return 'nothing now: it may stay where it is';
    case 'nowhere':
      return null;
  }
}

/** A copy that can not be used at the moment is not moved: another one is made beside it, where one is missing. */
function aboutMissing(context: AskContext, dataset: DatasetFacts, needs: readonly Need[]): string | null {
  const add = needAsks(
    context,
    dataset,
    needs.filter((need) => need.answer !== 'drop'),
  ).find((ask) => ask.kind === 'add');
  if (add === undefined) return 'nothing more: what is needed is under way, or the other copies are enough';
  const isPinned = ({ to }: Option): number => Number(dataset.policy.pinnedTargets.includes(to.targetId));
  const [best] = [...add.options].sort((a, b) => isPinned(b) - isPinned(a) || a.objective - b.objective || (a.to.targetId < b.to.targetId ? -1 : 1));
  return best === undefined ? null : putOn(dataset, best.to, best.cost.migrationOnce);
}

function putOn(dataset: DatasetFacts, { targetId, prices }: TargetFacts, once: number): string {
  return `put a copy on ${targetId} (${priceText(prices?.storagePerGbMonth ?? 0)} per GB and month, ${dollarsText(once)} once for the way there); ${whoDoes(dataset)}`;
}

function whoDoes({ policy }: DatasetFacts): string {
  return policy.mode === 'automated' ? 'the next plan does it' : 'apply the plan';
}
