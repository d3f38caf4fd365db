import { type ExperimentView, experimentView } from '@data-in-motion/shared/api/operations';
import type { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import type { FaultKind } from '@data-in-motion/shared/domain/fault-hooks';
import { z } from 'zod';

export interface FaultRequest {
  readonly kind: FaultKind;
  readonly subject: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly ttlMs: number;
  readonly seed: number;
}

/** Ask for a fault the way any operator does; the control plane refuses what would touch a last verified copy. */
export function armFault(api: RouteCaller, request: FaultRequest): Promise<ExperimentView> {
  return api.call('startExperiment', experimentView, { body: request });
}

export async function undoAll(api: RouteCaller): Promise<void> {
  await api.call('stopChaos', z.looseObject({}), { body: {} });
}
