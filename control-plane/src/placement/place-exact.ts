import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { defaultDecisionSettings, type PlacementSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { targetHealth } from '../health/target-health.ts';
import type { Need } from '../reconcile/needs.ts';
import { type AskContext, asksOf } from './asks.ts';
import { assemblePlan } from './assemble-plan.ts';
import { choosePlaces } from './choose-places.ts';
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
  const context: AskContext = { snapshot, health: targetHealth(snapshot, risk), heats, settings, evacuation: risk.evacuation };
  const needsOf = Map.groupBy(needs, (need) => need.datasetId);
  const wanted = snapshot.datasets.filter((dataset) => only === undefined || only.has(dataset.datasetId));
  const asks = wanted.flatMap((dataset) => asksOf(context, dataset, needsOf.get(dataset.datasetId) ?? []));
  return assemblePlan(context, wanted, needsOf, await choosePlaces(context, asks));
}
