import type { JobId, NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import { datasetAfter, type Step } from '../after-steps.ts';
import type { FleetSnapshot, JobFacts } from '../snapshot.ts';

/** The fleet once the steps are done, each in full. */
export function finishWork(snapshot: FleetSnapshot, steps: readonly Step[]): FleetSnapshot {
  const stepsOf = Map.groupBy(steps, (step) => step.datasetId);
  const datasets = snapshot.datasets.map((dataset) => datasetAfter(dataset, stepsOf.get(dataset.datasetId) ?? [], snapshot.takenAtMs));
  const targets = snapshot.targets.map((target) => {
    const arrived = steps.reduce((sum, step) => sum + (step.toTargetId === target.targetId ? step.sizeBytes : 0) - (step.action !== 'copy' && step.fromTargetId === target.targetId ? step.sizeBytes : 0), 0);
    return { ...target, usedBytes: Math.max(0, target.usedBytes + arrived) };
  });
  return { ...snapshot, datasets, targets };
}

/** The fleet with a job under way for each step. */
export function withJobs(snapshot: FleetSnapshot, steps: readonly Step[]): FleetSnapshot {
  const jobs = steps.map((step, place): JobFacts => ({
    jobId: `job${place}` as JobId, key: `key${place}`, datasetId: step.datasetId as JobFacts['datasetId'], purpose: step.action, state: 'planned', fromReplicaId: step.fromReplicaId, fromTargetId: step.fromTargetId as TargetId | null,
    toReplicaId: null, toTargetId: step.toTargetId as TargetId | null, moverNodeId: 'any' as NodeId, sourceNodeId: null, sizeBytes: step.sizeBytes,
  }));
  return { ...snapshot, jobs: [...snapshot.jobs, ...jobs] };
}
