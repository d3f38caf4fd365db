import type { ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { DatasetFacts } from '../../fleet/snapshot.ts';
import type { Move } from '../plan.ts';

/** A move with nothing said about money or time: a missing copy, or (to nowhere) a drop. */
export function planMove(dataset: DatasetFacts, from: string, to: string | null, more: Partial<Move> = {}): Move {
  return {
    datasetId: dataset.datasetId, need: 'add-copy', action: to === null ? 'retire' : 'copy', deviceId: null, fromReplicaId: `${dataset.datasetId}@${from}` as ReplicaId, fromTargetId: from as TargetId,
    toTargetId: to as TargetId | null, readReplicaId: to === null ? null : (`${dataset.datasetId}@${from}` as ReplicaId), readTargetId: to === null ? null : (from as TargetId), sizeBytes: dataset.sizeBytes, reason: '', confidence: 1, costBefore: null, costAfter: null, changePerMonth: 0, migrationOnce: 0, paybackDays: null, expectedMs: null, priority: 0, ...more,
  };
}
