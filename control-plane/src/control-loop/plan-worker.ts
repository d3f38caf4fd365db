import { parentPort } from 'node:worker_threads';
import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { DecisionSettings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { placeFleet } from '../placement/place-fleet.ts';
import type { Need } from '../reconcile/needs.ts';

/** What crosses to the thread that solves; plain data. */
export interface SolveRequest {
  readonly id: number;
  readonly snapshot: FleetSnapshot;
  readonly needs: readonly Need[];
  readonly heats: ReadonlyMap<DatasetId, Heat>;
  readonly only: ReadonlySet<DatasetId> | null;
  readonly settings: DecisionSettings;
}

parentPort?.on('message', (request: SolveRequest) => {
  placeFleet(request.snapshot, request.needs, request.heats, request.settings.placement, request.settings, request.only ?? undefined).then(
    (plan) => parentPort?.postMessage({ id: request.id, plan }),
    (error: unknown) => parentPort?.postMessage({ id: request.id, error: error instanceof Error ? error.message : String(error) }),
  );
});
