import type { DatasetId, NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { JobState } from '@data-in-motion/shared/domain/job';
import { type AdmissionLimits, defaultDecisionSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import { freeBytes, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { type TargetHealth, targetHealth } from '../health/target-health.ts';
import type { Move, NeedKind, Plan } from '../placement/plan.ts';
import { copiesOf } from '../reconcile/copies.ts';

/** `admitted` becomes a job now · `advised` waits for a person · `held` waits for room, a limit or another job. */
export interface Admission {
  readonly move: Move;
  readonly verdict: 'admitted' | 'advised' | 'held';
  /** Why not, in words; null for what is admitted. */
  readonly heldBecause: string | null;
}

/** Repair of what policy already promised: done in every mode. */
const repairs: readonly NeedKind[] = ['add-copy', 'evacuate-device', 'replace-bad-copy'];
/** Moves that rest on a forecast, and so must be sure enough. */
const forecasts: readonly NeedKind[] = ['follow-heat', 'cheaper-place'];

/**
 * Which moves of a plan become jobs now: safety before compliance before heat before cost before clean-up, copies before drops.
 * Room is promised to each admitted move in turn, so that all admitted together fit. The same move may be `held` now and admitted in a later pass.
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
  const order = plan.moves
    .map((move, place) => ({ move, place }))
    .sort((a, b) => a.move.priority - b.move.priority || Number(a.move.action === 'retire') - Number(b.move.action === 'retire') || a.place - b.place);
  const answers = new Map<Move, Admission>();
  for (const { move } of order) {
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

/** Jobs in these states wait for a time or a person and use no agent. */
const idle: readonly JobState[] = ['retry-wait', 'no-space', 'source-changed', 'paused', 'grace', 'trashed', 'conflict', 'dead-letter'];

interface Ledger {
  heldBecause(move: Move, dataset: DatasetFacts): string | null;
  write(move: Move): void;
}

/** What is promised and under way, and what one pass adds to it. */
function openLedger(snapshot: FleetSnapshot, limits: AdmissionLimits, health: ReadonlyMap<TargetId, TargetHealth>): Ledger {
  const fleet = indexOf(snapshot);
  const promised = new Map<TargetId, number>();
  const onNode = new Map<NodeId, number>();
  const busy = new Set<string>(snapshot.jobs.flatMap((job) => [placeKey(job.datasetId, job.toTargetId), placeKey(job.datasetId, job.fromReplicaId)]));
  const copying = new Set<DatasetId>(snapshot.jobs.filter((job) => job.purpose !== 'retire' && job.purpose !== 'verify').map((job) => job.datasetId));
  const evacuating = new Set<DatasetId>(
    snapshot.jobs
      .filter((job) => job.purpose === 'move' && job.fromTargetId !== null && health.get(job.fromTargetId)?.evacuation === 'evacuated')
      .map((job) => job.datasetId),
  );
  const dropped = new Set<ReplicaId>();
  const count = (map: Map<NodeId, number>, nodeId: NodeId | undefined): void => {
    if (nodeId !== undefined) map.set(nodeId, (map.get(nodeId) ?? 0) + 1);
  };
  const working = snapshot.jobs.filter((job) => !idle.includes(job.state));
  for (const job of working) count(onNode, job.moverNodeId);
  let inFleet = working.length;
  let inPass = 0;
  /** The destination's agent does the work; for a drop, the agent that holds the copy. */
  const moverOf = (move: Move): NodeId | undefined => fleet.targets.get((move.toTargetId ?? move.fromTargetId)!)?.nodeId;

  return {
    heldBecause(move, dataset) {
      const mover = moverOf(move);
      if (mover === undefined) return 'its place is no longer part of the fleet';
      const said = move.action === 'retire' ? retireHeld(move, dataset) : copyHeld(move);
      if (said !== null) return said;
      if (inPass >= limits.newPerPass) return `${limits.newPerPass} moves are started in one pass, this one is next`;
      if (inFleet >= limits.underWayInFleet) return `${inFleet} jobs are under way in the fleet, ${limits.underWayInFleet} may be`;
      const there = onNode.get(mover) ?? 0;
      if (there >= limits.underWayPerNode) return `${there} jobs are under way on ${mover}, ${limits.underWayPerNode} may be`;
      if (move.need === 'evacuate-device' && !evacuating.has(move.datasetId) && evacuating.size >= limits.evacuatingAtOnce)
        return `${evacuating.size} datasets are leaving risky devices, ${limits.evacuatingAtOnce} may at one time`;
      return null;
    },
    write(move) {
      inPass++;
      inFleet++;
      count(onNode, moverOf(move));
      if (move.action === 'retire') {
        dropped.add(move.fromReplicaId!);
      } else {
        promised.set(move.toTargetId!, (promised.get(move.toTargetId!) ?? 0) + move.sizeBytes);
        copying.add(move.datasetId);
      }
      if (move.need === 'evacuate-device') evacuating.add(move.datasetId);
      busy.add(placeKey(move.datasetId, move.toTargetId));
      if (move.action !== 'copy') busy.add(placeKey(move.datasetId, move.fromReplicaId));
    },
  };

  function copyHeld(move: Move): string | null {
    const target = fleet.targets.get(move.toTargetId!)!;
    if (health.get(target.targetId)?.takesData !== true) return health.get(target.targetId)?.reason ?? `${target.targetId} takes no data`;
    if (busy.has(placeKey(move.datasetId, move.toTargetId))) return `a job for ${move.datasetId} on ${move.toTargetId} is under way`;
    if (move.action === 'move' && busy.has(placeKey(move.datasetId, move.fromReplicaId))) return `a job for this copy of ${move.datasetId} is under way`;
    if (forecasts.includes(move.need) && copying.has(move.datasetId)) return `${move.datasetId} is being copied already; one step at a time`;
    const free = freeBytes(target) - (promised.get(target.targetId) ?? 0);
    return move.sizeBytes > free ? `${target.targetId} has no room beside what is promised to other jobs` : null;
  }

  function retireHeld(move: Move, dataset: DatasetFacts): string | null {
    if (busy.has(placeKey(move.datasetId, move.fromReplicaId))) return `a job for this copy of ${move.datasetId} is under way`;
    if (move.fromReplicaId === dataset.primaryReplicaId) return 'it is the primary: readers use it';
    if (copying.has(move.datasetId)) return `${move.datasetId} is being copied; nothing is let go meanwhile`;
    if (health.get(move.fromTargetId!)?.mayLetGo !== true) return health.get(move.fromTargetId!)?.reason ?? `${move.fromTargetId} can not let anything go now`;
    const others = copiesOf(snapshot, dataset, health).counted.filter(
      (replica) => replica.replicaId !== move.fromReplicaId && !dropped.has(replica.replicaId),
    ).length;
    return others < Math.max(1, dataset.policy.copies) ? `only ${others} other verified copies would stand, ${dataset.policy.copies} are wanted` : null;
  }
}

function placeKey(datasetId: DatasetId, place: string | null): string {
  return place === null ? '' : `${datasetId} ${place}`;
}
