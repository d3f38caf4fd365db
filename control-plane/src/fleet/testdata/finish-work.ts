import type { JobId, NodeId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { DatasetFacts, FleetSnapshot, JobFacts } from '../snapshot.ts';

/** A move as far as it changes the fleet. */
export interface Step {
  readonly datasetId: string;
  readonly action: 'copy' | 'move' | 'retire';
  readonly fromReplicaId: ReplicaId | null;
  readonly fromTargetId: TargetId | null;
  readonly toTargetId: TargetId | null;
  readonly sizeBytes: number;
}

let made = 0;

/** The fleet once the steps are done, each in full. */
export function finishWork(snapshot: FleetSnapshot, steps: readonly Step[]): FleetSnapshot {
  const datasets = snapshot.datasets.map((dataset) => steps.filter((step) => step.datasetId === dataset.datasetId).reduce((now, step) => finishStep(now, step, snapshot.takenAtMs), dataset));
  const targets = snapshot.targets.map((target) => {
    const arrived = steps.reduce((sum, step) => sum + (step.toTargetId === target.targetId ? step.sizeBytes : 0) - (step.action !== 'copy' && step.fromTargetId === target.targetId ? step.sizeBytes : 0), 0);
    return { ...target, usedBytes: Math.max(0, target.usedBytes + arrived) };
  });
  return { ...snapshot, datasets, targets };
}

function finishStep(dataset: DatasetFacts, step: Step, atMs: number): DatasetFacts {
  const kept = step.action === 'copy' ? dataset.replicas : dataset.replicas.filter((replica) => replica.replicaId !== step.fromReplicaId);
  if (step.toTargetId === null) return { ...dataset, replicas: kept };
  const replicaId = `${dataset.datasetId}#${made++}` as ReplicaId;
  const arrived = { replicaId, versionId: dataset.versionId as VersionId, targetId: step.toTargetId, state: 'verified' as const, verifiedAtMs: atMs, createdAtMs: atMs };
  const wasPrimary = step.action === 'move' && step.fromReplicaId === dataset.primaryReplicaId;
  return { ...dataset, replicas: [...kept, arrived], primaryReplicaId: wasPrimary ? replicaId : dataset.primaryReplicaId };
}

/** The fleet with a job under way for each step. */
export function withJobs(snapshot: FleetSnapshot, steps: readonly Step[]): FleetSnapshot {
  const jobs = steps.map((step, place): JobFacts => ({
    jobId: `job${place}` as JobId, key: `key${place}`, datasetId: step.datasetId as JobFacts['datasetId'], purpose: step.action, state: 'planned', fromReplicaId: step.fromReplicaId, fromTargetId: step.fromTargetId,
    toReplicaId: null, toTargetId: step.toTargetId, moverNodeId: 'any' as NodeId, sourceNodeId: null, sizeBytes: step.sizeBytes,
  }));
  return { ...snapshot, jobs: [...snapshot.jobs, ...jobs] };
}
