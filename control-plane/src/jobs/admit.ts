import { type AdmissionLimits, defaultDecisionSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import { indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { targetHealth } from '../health/target-health.ts';
import { orderMoves } from '../placement/order-moves.ts';
import type { Move, NeedKind, Plan } from '../placement/plan.ts';
import { forecasts, openLedger } from './ledger.ts';

/** `admitted` becomes a job now · `advised` waits for a person · `held` waits for room, a limit or another job. */
export interface Admission {
  readonly move: Move;
  readonly verdict: 'admitted' | 'advised' | 'held';
  /** Why not, in words; null for what is admitted. */
  readonly heldBecause: string | null;
}

/** Repair of what policy already promised: done in every mode. */
const repairs: readonly NeedKind[] = ['add-copy', 'evacuate-device', 'replace-bad-copy'];

/**
 * Which moves of a plan become jobs now, in the order of `orderMoves`. Room is promised to each admitted move in turn, so that all admitted together fit.
 * The same move may be `held` now and admitted in a later pass.
 *
 * @param snapshot as fresh as can be; the plan may be of an older one, and what no longer fits is held
 * @returns one answer for each move, in the order of the plan
 */
export function admitPlan(
  snapshot: FleetSnapshot,
  plan: Pick<Plan, 'moves'>,
  limits: AdmissionLimits,
  risk: RiskSettings = defaultDecisionSettings,
): Admission[] {
  const ledger = openLedger(snapshot, limits, targetHealth(snapshot, risk));
  const answers = new Map<Move, Admission>();
  for (const move of orderMoves(snapshot, plan.moves)) {
    const dataset = indexOf(snapshot).datasets.get(move.datasetId);
    const advised = dataset === undefined ? null : advisedBecause(snapshot, move, dataset);
    const held = dataset === undefined ? `dataset ${move.datasetId} is gone` : advised === null ? ledger.heldBecause(move, dataset) : null;
    const verdict = advised !== null ? 'advised' : held !== null ? 'held' : 'admitted';
    if (verdict === 'admitted') ledger.write(move);
    answers.set(move, { move, verdict, heldBecause: advised ?? held });
  }
  return plan.moves.map((move) => answers.get(move)!);
}

/** Why a person decides about the move and not the control plane; null when it may be made. */
function advisedBecause(snapshot: FleetSnapshot, move: Move, dataset: DatasetFacts): string | null {
  // That a drive will fail is a model's forecast, not a fact, until the drive is failing.
  const device = move.need !== 'evacuate-device' || move.deviceId === null ? undefined : indexOf(snapshot).devices.get(move.deviceId);
  if (device !== undefined && dataset.policy.mode === 'advisory' && device.judgeKind === 'model' && device.level !== 'failing')
    return `the policy of ${dataset.datasetId} is advisory and ${device.deviceId} is only expected to fail: apply the plan to make this move`;
  if (repairs.includes(move.need)) return null;
  if (dataset.policy.mode === 'advisory') return `the policy of ${dataset.datasetId} is advisory: apply the plan to make this move`;
  if (!forecasts.includes(move.need) || move.confidence >= dataset.policy.probabilityCutoff) return null;
  return `the forecast is ${Math.round(move.confidence * 100)} % sure, the policy acts from ${Math.round(dataset.policy.probabilityCutoff * 100)} %`;
}
