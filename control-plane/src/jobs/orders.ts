import type { DatasetId, JobId, NodeId, PermitId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { JobPurpose, JobState } from '@data-in-motion/shared/domain/job';
import type { Order, OrderOf } from '@data-in-motion/shared/protocol/messages';
import { isPromotion } from './advance.ts';

/** A copy and where it is. */
export interface Place {
  readonly replicaId: ReplicaId;
  readonly targetId: TargetId;
  readonly nodeId: NodeId;
}

/** All that the orders of one job are made from. */
export interface OrderFacts {
  readonly jobId: JobId;
  readonly purpose: JobPurpose;
  readonly state: JobState;
  readonly epoch: number;
  readonly datasetId: DatasetId;
  readonly version: { readonly versionId: VersionId; readonly root: string; readonly objects: number; readonly sizeBytes: number } | null;
  readonly import: { readonly nodeId: NodeId; readonly transferUrl: string | null; readonly source: OrderOf<'scan'>['source'] } | null;
  /** The copy that is replaced, verified or let go. */
  readonly from: Place | null;
  /** The copy that is made. */
  readonly to: Place | null;
  /** The copy that is read. */
  readonly read: (Place & { readonly transferUrl: string | null }) | null;
  readonly switched: { readonly rev: number; readonly certificate: string } | null;
  readonly activated: boolean;
  readonly witnessed: boolean;
  readonly rechecked: boolean;
  /** The copy in `from` was found bad and has been replaced. */
  readonly fromIsBad?: boolean;
  /** The copy in `from` was made and never verified, so it never stood in for anything. */
  readonly neverCounted?: boolean;
  /** The permit that was granted and not used, as long as its guards were looked at lately. */
  readonly permit: { readonly permitId: PermitId; readonly kind: 'retire' | 'purge' } | null;
  /** A step failed and waits for its time. */
  readonly resting: boolean;
}

/** An agent reads the whole copy again before it lets it go, and a permit must outlast that: this pace is slower than any drive that is well. */
const slowestReadBytesPerSec = 10_000_000;
const permitValidForMs = 600_000;

/**
 * What one agent should be doing now, by the state of the jobs; the whole list is the truth. Tokens are left empty: dispatch fills them in,
 * so that a fresh token alone does not make a new revision.
 */
export function ordersFor(nodeId: NodeId, jobs: readonly OrderFacts[]): Order[] {
  return jobs.flatMap((job) =>
    job.resting
      ? []
      : ordersOf(job)
          .filter(({ at }) => at === nodeId)
          .map(({ order }) => order),
  );
}

/** Every order a job has out at the moment, and for whom. */
function ordersOf(job: OrderFacts): { at: NodeId; order: Order }[] {
  switch (job.state) {
    case 'leased':
    case 'scanning':
    case 'copying':
    case 'copied':
    case 'verifying':
      return workOrder(job);
    case 'switched':
      return [...activateOrder(job), ...witnessOrder(job)];
    case 'grace':
      return job.rechecked || job.to === null ? [] : verifyOrder(job, job.to);
    case 'retiring':
      return leaveOrder(job, 'retire');
    case 'trashed':
      return leaveOrder(job, 'purge');
    default:
      return [];
  }
}

function workOrder(job: OrderFacts): { at: NodeId; order: Order }[] {
  if (job.purpose === 'import' && job.version === null) {
    if (job.import === null) return [];
    return [{ at: job.import.nodeId, order: { jobId: job.jobId, epoch: job.epoch, kind: 'scan', datasetId: job.datasetId, source: job.import.source } }];
  }
  if (job.purpose === 'verify') return job.from === null ? [] : verifyOrder(job, job.from);
  if (job.to === null) return [];
  return isPromotion({ purpose: job.purpose, fromReplicaId: job.from?.replicaId ?? null, toReplicaId: job.to.replicaId })
    ? verifyOrder(job, job.to)
    : copyOrder(job, job.to);
}

function copyOrder(job: OrderFacts, to: Place): { at: NodeId; order: Order }[] {
  const source = copySource(job, to);
  if (source === null || job.version === null) return [];
  const { versionId, root, objects, sizeBytes: bytes } = job.version;
  return [{ at: to.nodeId, order: { jobId: job.jobId, epoch: job.epoch, kind: 'copy', source, destination: place(job, to), versionId, root, objects, bytes } }];
}

/** An import is read where it was scanned, another copy where it lies; null while the way there is not known. */
function copySource(job: OrderFacts, to: Place): OrderOf<'copy'>['source'] | null {
  if (job.purpose === 'import') {
    if (job.import === null) return null;
    if (job.import.nodeId === to.nodeId) return { kind: 'import' };
    return job.import.transferUrl === null
      ? null
      : { kind: 'remote', nodeId: job.import.nodeId, url: `${job.import.transferUrl}/v1/sources/${job.jobId}`, token: '' };
  }
  if (job.read === null) return null;
  if (job.read.nodeId === to.nodeId) return { kind: 'local-replica', targetId: job.read.targetId, replicaId: job.read.replicaId };
  return job.read.transferUrl === null
    ? null
    : { kind: 'remote', nodeId: job.read.nodeId, url: `${job.read.transferUrl}/v1/sources/${job.read.replicaId}`, token: '' };
}

function verifyOrder(job: OrderFacts, replica: Place): { at: NodeId; order: Order }[] {
  if (job.version === null) return [];
  const { versionId, root, objects, sizeBytes: bytes } = job.version;
  return [{ at: replica.nodeId, order: { jobId: job.jobId, epoch: job.epoch, kind: 'verify', target: place(job, replica), versionId, root, objects, bytes } }];
}

function activateOrder(job: OrderFacts): { at: NodeId; order: Order }[] {
  if (job.activated || job.to === null || job.switched === null) return [];
  return [{ at: job.to.nodeId, order: { jobId: job.jobId, epoch: job.epoch, kind: 'activate', destination: place(job, job.to), ...job.switched } }];
}

/** Only a move has a copy that will leave, so only there does its agent keep the certificate. */
function witnessOrder(job: OrderFacts): { at: NodeId; order: Order }[] {
  if (job.witnessed || job.purpose !== 'move' || job.from === null || job.switched === null) return [];
  return [{ at: job.from.nodeId, order: { jobId: job.jobId, epoch: job.epoch, kind: 'witness', replicaId: job.from.replicaId, ...job.switched } }];
}

function leaveOrder(job: OrderFacts, kind: 'retire' | 'purge'): { at: NodeId; order: Order }[] {
  if (job.from === null || job.version === null || job.permit?.kind !== kind) return [];
  const order = {
    jobId: job.jobId,
    epoch: job.epoch,
    kind,
    permitId: job.permit.permitId,
    target: place(job, job.from),
    root: job.version.root,
    validForMs: permitValidForMs + Math.ceil((job.version.sizeBytes / slowestReadBytesPerSec) * 1_000),
    ...(job.fromIsBad === true ? { knownBad: true as const } : {}),
    ...(job.neverCounted === true ? { neverCounted: true as const } : {}),
  };
  return [{ at: job.from.nodeId, order }];
}

function place(job: OrderFacts, at: Place): { targetId: TargetId; datasetId: DatasetId; replicaId: ReplicaId } {
  return { targetId: at.targetId, datasetId: job.datasetId, replicaId: at.replicaId };
}
