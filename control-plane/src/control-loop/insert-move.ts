import type { JobId, PlanId } from '@data-in-motion/shared/domain/ids';
import { indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import type { Move } from '../placement/plan.ts';
import type { Tx } from '../store/database.ts';
import { insertCopyJob, insertRetireJob } from '../store/jobs.ts';

/** Write a move as a job. Null when one for the same is under way, or was given up lately. */
export async function insertMove(tx: Tx, snapshot: FleetSnapshot, move: Move, planId: PlanId, nowMs: number): Promise<JobId | null> {
  const facts = indexOf(snapshot).datasets.get(move.datasetId);
  if (facts === undefined || facts.versionId === null) return null;
  const { datasetId, sizeBytes, need, reason, deviceId, priority } = move;
  const work = { datasetId, versionId: facts.versionId, sizeBytes, need, reason, planId, deviceId, priority, nowMs };
  if (move.action === 'retire') return move.fromReplicaId === null ? null : insertRetireJob(tx, { ...work, replicaId: move.fromReplicaId });
  if (move.toTargetId === null) return null;
  const replaces = move.action === 'move' ? move.fromReplicaId : null;
  return insertCopyJob(tx, { ...work, toTargetId: move.toTargetId, replaces, reads: move.readReplicaId });
}
