import type { DatasetId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';

export type JobSubject =
  | { readonly purpose: 'import'; readonly datasetId: DatasetId }
  | { readonly purpose: 'copy'; readonly versionId: VersionId; readonly toTargetId: TargetId }
  | { readonly purpose: 'move' | 'retire' | 'verify'; readonly replicaId: ReplicaId };

/**
 * What a job is about. The store holds one active job per key, so two planners that see the same need make one job.
 * A move's key leaves its destination out: one copy can not move to two places.
 */
export function jobKey(subject: JobSubject): string {
  switch (subject.purpose) {
    case 'import':
      return `import:${subject.datasetId}`;
    case 'copy':
      return `copy:${subject.versionId}:${subject.toTargetId}`;
    default:
      return `${subject.purpose}:${subject.replicaId}`;
  }
}
