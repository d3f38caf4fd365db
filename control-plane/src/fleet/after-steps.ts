import type { ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { DatasetFacts, ReplicaFacts } from './snapshot.ts';

/** A move as far as it changes the fleet. */
export interface Step {
  readonly datasetId: string;
  readonly action: 'copy' | 'move' | 'retire';
  readonly fromReplicaId: ReplicaId | null;
  readonly fromTargetId: string | null;
  readonly toTargetId: string | null;
  readonly sizeBytes: number;
}

/** The dataset once the steps are done, each in full. What is done already, or can not be done any more, changes nothing; room is not looked at. */
export function datasetAfter(dataset: DatasetFacts, steps: readonly Step[], atMs: number): DatasetFacts {
  return steps.reduce((now, step) => afterStep(now, step, atMs), dataset);
}

function afterStep(dataset: DatasetFacts, step: Step, atMs: number): DatasetFacts {
  const from = dataset.replicas.find((replica) => replica.replicaId === step.fromReplicaId);
  if (step.action !== 'copy' && from === undefined) return dataset;
  const kept = step.action === 'copy' ? dataset.replicas : dataset.replicas.filter((replica) => replica !== from);
  const isThere = kept.some((replica) => replica.targetId === step.toTargetId && replica.versionId === dataset.versionId && replica.state === 'verified');
  if (step.toTargetId === null || dataset.versionId === null || isThere) return { ...dataset, replicas: kept };
  const arrived: ReplicaFacts = {
    replicaId: freeName(dataset, step.toTargetId),
    versionId: dataset.versionId,
    targetId: step.toTargetId as TargetId,
    state: 'verified',
    verifiedAtMs: atMs,
    createdAtMs: atMs,
  };
  const wasPrimary = step.action === 'move' && step.fromReplicaId === dataset.primaryReplicaId;
  return { ...dataset, replicas: [...kept, arrived], primaryReplicaId: wasPrimary ? arrived.replicaId : dataset.primaryReplicaId };
}

function freeName(dataset: DatasetFacts, targetId: string): ReplicaId {
  const taken = new Set<string>(dataset.replicas.map((replica) => replica.replicaId));
  let count = 1;
  while (taken.has(`${dataset.datasetId}@${targetId}#${count}`)) count++;
  return `${dataset.datasetId}@${targetId}#${count}` as ReplicaId;
}
