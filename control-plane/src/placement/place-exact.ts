import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { defaultDecisionSettings, type PlacementSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import type { Need } from '../reconcile/needs.ts';
import { asksOf } from './asks.ts';
import { assemblePlan, type Choice } from './assemble-plan.ts';
import { choosePlaces } from './choose-places.ts';
import { askFleet, type FleetQuestion } from './fleet-question.ts';
import type { Plan } from './plan.ts';

/**
 * Answer the needs of the fleet, and move what pays for itself, at the lowest cost that the policies allow: exactly, by HiGHS.
 * Only datasets with a need or with a move that pays are asked about; all others stay and are part of the cost only.
 * A need that can not be answered keeps no other from being answered: it is told under `infeasible` with the rules that clash.
 *
 * @param only when given, datasets outside of it stay as they are
 */
export async function placeExact(
  snapshot: FleetSnapshot,
  needs: readonly Need[],
  heats: ReadonlyMap<DatasetId, Heat>,
  settings: PlacementSettings,
  risk: RiskSettings = defaultDecisionSettings,
  only?: ReadonlySet<DatasetId>,
): Promise<Plan> {
  const question = askFleet(snapshot, needs, heats, settings, risk, only);
  return assemblePlan(question.context, question.wanted, question.needsOf, await chooseExactly(question, question.wanted));
}

/** The exact choice for some of the datasets that are asked about. */
export function chooseExactly({ context, needsOf }: FleetQuestion, datasets: readonly DatasetFacts[]): Promise<Choice> {
  const asks = datasets.flatMap((dataset) => asksOf(context, dataset, needsOf.get(dataset.datasetId) ?? []));
  return choosePlaces(context, asks);
}
