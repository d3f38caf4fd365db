import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { PlacementSettings, RiskSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { targetHealth } from '../health/target-health.ts';
import type { Need } from '../reconcile/needs.ts';
import type { AskContext } from './asks.ts';

/** What a solver is asked: what it sees, about which datasets, and what these need. */
export interface FleetQuestion {
  readonly context: AskContext;
  readonly wanted: readonly DatasetFacts[];
  readonly needsOf: ReadonlyMap<DatasetId, readonly Need[]>;
}

/** @param only when given, datasets outside of it stay as they are */
export function askFleet(
  snapshot: FleetSnapshot,
  needs: readonly Need[],
  heats: ReadonlyMap<DatasetId, Heat>,
  settings: PlacementSettings,
  risk: RiskSettings,
  only: ReadonlySet<DatasetId> | undefined,
): FleetQuestion {
  return {
    context: { snapshot, health: targetHealth(snapshot, risk), heats, settings, evacuation: risk.evacuation },
    wanted: snapshot.datasets.filter((dataset) => only === undefined || only.has(dataset.datasetId)),
    needsOf: Map.groupBy(needs, (need) => need.datasetId),
  };
}
