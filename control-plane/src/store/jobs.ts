import { isDeepStrictEqual } from 'node:util';
import type { DatasetId, DeviceId, JobId, NodeId, PlanId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { type JobPurpose } from '@data-in-motion/shared/domain/job';
import { Failure } from '@data-in-motion/shared/failure';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, eq, gt, inArray } from 'drizzle-orm';
import { jobKey } from '../jobs/job-key.ts';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { changeJob, lockDataset, lockJob } from './job-rows.ts';
import { insertReplica } from './replicas.ts';
import { type ImportSource, job, pointer, replica, target } from './schema.ts';

interface NewJob {
  readonly key: string;
  readonly datasetId: DatasetId;
  readonly purpose: JobPurpose;
  readonly reason: string;
  readonly nowMs: number;
  readonly moverNodeId: NodeId;
  readonly more: Partial<typeof job.$inferInsert>;
}

/** What was given up is left alone this long before it is planned anew by itself; a person can retry it at any time. */
export const restAfterGivingUpMs = 900_000;

/** Insert a job unless an active one has its key, or one with its key was given up lately; then null. */
async function insertJob(tx: Tx, made: NewJob): Promise<JobId | null> {
  const [givenUp] = await tx
    .select({ jobId: job.jobId })
    .from(job)
    .where(and(eq(job.key, made.key), eq(job.state, 'dead-letter'), gt(job.endedAtMs, made.nowMs - restAfterGivingUpMs)))
    .limit(1);
  if (givenUp !== undefined && made.purpose !== 'import') return null;
  const jobId = ulid(made.nowMs, systemRandom) as JobId;
  const [held] = await tx.select({ rev: pointer.rev }).from(pointer).where(eq(pointer.datasetId, made.datasetId));
  const rows = await tx
    .insert(job)
    .values({
      ...made.more,
      jobId,
      key: made.key,
      datasetId: made.datasetId,
      purpose: made.purpose,
      state: 'planned',
      reason: made.reason,
      moverNodeId: made.moverNodeId,
      expectedPointerRev: held?.rev ?? 0,
      createdAtMs: made.nowMs,
    })
    .onConflictDoNothing()
    .returning({ jobId: job.jobId });
  if (rows.length === 0) return null;
  await appendEvents(tx, made.nowMs, [
    {
      type: 'job.planned',
      severity: 'info',
      text: `${made.purpose} of ${made.datasetId}: ${made.reason}`,
      ids: { jobId, datasetId: made.datasetId, purpose: made.purpose },
      by: 'control-plane',
    },
  ]);
  return jobId;
}

/**
 * Plan the import of a new version. One import of a dataset at a time: asked for again while it is active, its id is the answer.
 * The place is chosen when the size is known, see `giveDestination`.
 *
 * @throws Failure `refused` (`import.under-way`) while another source is being imported
 */
export async function insertImportJob(tx: Tx, wanted: { datasetId: DatasetId; source: ImportSource; reason: string; nowMs: number }): Promise<JobId> {
  const key = jobKey({ purpose: 'import', datasetId: wanted.datasetId });
  const made = await insertJob(tx, {
    key,
    datasetId: wanted.datasetId,
    purpose: 'import',
    reason: wanted.reason,
    nowMs: wanted.nowMs,
    moverNodeId: wanted.source.nodeId,
    more: { importSource: wanted.source, sourceNodeId: wanted.source.nodeId, priority: 1 },
  });
  if (made !== null) return made;
  const [active] = await tx
    .select({ jobId: job.jobId, source: job.importSource })
    .from(job)
    .where(and(eq(job.key, key), eq(job.active, true)));
  if (active !== undefined && !isDeepStrictEqual(active.source, wanted.source))
    throw new Failure('refused', {
      code: 'import.under-way',
      message: `Job ${active.jobId} is importing another source into ${wanted.datasetId}.`,
      hint: 'Wait until it has ended, or cancel it.',
      ids: { datasetId: wanted.datasetId, jobId: active.jobId },
    });
  if (active === undefined)
    throw new Failure('unavailable', { code: 'job.race', message: 'the import that was active ended just now', ids: { datasetId: wanted.datasetId } });
  return active.jobId;
}

export interface PlannedWork {
  readonly datasetId: DatasetId;
  readonly versionId: VersionId;
  readonly sizeBytes: number;
  readonly need: string | null;
  readonly reason: string;
  readonly planId: PlanId | null;
  readonly deviceId: DeviceId | null;
  readonly priority: number;
  readonly nowMs: number;
}

/**
 * Plan one more copy, or (with `replaces`) a copy in the place of another. The new replica's row is made with it; null when such a job is active.
 *
 * @param work `reads` is the copy that the plan reads; when the work begins another is read where that one is doubted, gone or out of reach
 */
export async function insertCopyJob(
  tx: Tx,
  work: PlannedWork & { toTargetId: TargetId; replaces: ReplicaId | null; reads?: ReplicaId | null },
): Promise<JobId | null> {
  const toNodeId = await nodeOfTarget(tx, work.toTargetId);
  const from = work.replaces === null ? null : await placeOfReplica(tx, work.replaces);
  if (toNodeId === null || (work.replaces !== null && from === null)) return null;
  const toReplicaId = ulid(work.nowMs, systemRandom) as ReplicaId;
  const purpose = work.replaces === null ? 'copy' : 'move';
  const jobId = await insertJob(tx, {
    key:
      work.replaces === null
        ? jobKey({ purpose: 'copy', versionId: work.versionId, toTargetId: work.toTargetId })
        : jobKey({ purpose: 'move', replicaId: work.replaces }),
    datasetId: work.datasetId,
    purpose,
    reason: work.reason,
    nowMs: work.nowMs,
    moverNodeId: toNodeId,
    more: {
      versionId: work.versionId,
      need: work.need,
      planId: work.planId,
      deviceId: work.deviceId,
      priority: work.priority,
      sizeBytes: work.sizeBytes,
      toReplicaId,
      toTargetId: work.toTargetId,
      fromReplicaId: work.replaces,
      fromTargetId: from?.targetId ?? null,
      sourceNodeId: from?.nodeId ?? null,
      readReplicaId: work.reads ?? null,
    },
  });
  if (jobId !== null)
    await insertReplica(tx, {
      replicaId: toReplicaId,
      datasetId: work.datasetId,
      versionId: work.versionId,
      targetId: work.toTargetId,
      why: work.reason,
      nowMs: work.nowMs,
    });
  return jobId;
}

/** Plan that a copy leaves. Whether it may is decided when the permit is granted, not here. */
export async function insertRetireJob(tx: Tx, work: PlannedWork & { replicaId: ReplicaId }): Promise<JobId | null> {
  const from = await placeOfReplica(tx, work.replicaId);
  if (from === null || from.versionId === null) return null;
  return insertJob(tx, {
    key: jobKey({ purpose: 'retire', replicaId: work.replicaId }),
    datasetId: work.datasetId,
    purpose: 'retire',
    reason: work.reason,
    nowMs: work.nowMs,
    moverNodeId: from.nodeId,
    more: {
      // Its own version, not the current one: a stale copy is compared with what it was made from before it leaves.
      versionId: from.versionId,
      need: work.need,
      planId: work.planId,
      deviceId: work.deviceId,
      priority: work.priority,
      sizeBytes: work.sizeBytes,
      fromReplicaId: work.replicaId,
      fromTargetId: from.targetId,
      sourceNodeId: from.nodeId,
    },
  });
}

/**
 * Plan that what no job sees to any more is deleted: a copy in the trash, or one that was given up before it was whole. It begins where a copy that left is;
 * whether it may be deleted is decided when the permit is granted. Null when that is under way.
 */
export async function insertClearingJob(tx: Tx, replicaId: ReplicaId, nowMs: number): Promise<JobId | null> {
  const from = await placeOfReplica(tx, replicaId);
  if (from === null || from.versionId === null || !(await lockDataset(tx, from.datasetId))) return null;
  const isTrash = from.state === 'trashed';
  const jobId = await insertJob(tx, {
    key: jobKey({ purpose: 'retire', replicaId }),
    datasetId: from.datasetId,
    purpose: 'retire',
    reason: isTrash ? 'it lies in the trash, and the job that was to delete it has ended' : 'it was given up before it was whole',
    nowMs,
    moverNodeId: from.nodeId,
    more: { versionId: from.versionId, priority: 4, fromReplicaId: replicaId, fromTargetId: from.targetId, sourceNodeId: from.nodeId },
  });
  const row = jobId === null ? undefined : await lockJob(tx, jobId);
  if (row !== undefined) await changeJob(tx, row, ['permit', 'trashed'], { epoch: 1, trashedAtMs: isTrash ? nowMs : null }, nowMs);
  return jobId;
}

/** Plan that a copy is read back; null when that is under way. */
export async function insertVerifyJob(tx: Tx, replicaId: ReplicaId, reason: string, priority: number, nowMs: number): Promise<JobId | null> {
  const from = await placeOfReplica(tx, replicaId);
  if (from === null || from.versionId === null) return null;
  return insertJob(tx, {
    key: jobKey({ purpose: 'verify', replicaId }),
    datasetId: from.datasetId,
    purpose: 'verify',
    reason,
    nowMs,
    moverNodeId: from.nodeId,
    more: { versionId: from.versionId, priority, fromReplicaId: replicaId, fromTargetId: from.targetId, sourceNodeId: from.nodeId },
  });
}

/**
 * Plan that a copy which is there already is read back and named by its agent: its source and its destination are the same.
 *
 * @param need with `replace-bad-copy` readers are sent to it, with null it joins the other copies
 */
export async function insertPromotionJob(tx: Tx, replicaId: ReplicaId, reason: string, need: 'replace-bad-copy' | null, nowMs: number): Promise<JobId | null> {
  const at = await placeOfReplica(tx, replicaId);
  if (at === null || at.versionId === null) return null;
  return insertJob(tx, {
    key: jobKey({ purpose: 'copy', versionId: at.versionId, toTargetId: at.targetId }),
    datasetId: at.datasetId,
    purpose: 'copy',
    reason,
    nowMs,
    moverNodeId: at.nodeId,
    more: {
      versionId: at.versionId,
      need,
      priority: 0,
      fromReplicaId: replicaId,
      fromTargetId: at.targetId,
      toReplicaId: replicaId,
      toTargetId: at.targetId,
      sourceNodeId: at.nodeId,
    },
  });
}

/** Plan that every copy of a dataset which can be read is read back. */
export async function insertVerifyJobs(tx: Tx, datasetId: DatasetId, reason: string, nowMs: number): Promise<JobId[]> {
  const rows = await tx
    .select({ replicaId: replica.replicaId })
    .from(replica)
    .where(and(eq(replica.datasetId, datasetId), inArray(replica.state, ['verified', 'suspect', 'missing'])));
  const made: JobId[] = [];
  for (const row of rows) {
    const jobId = await insertVerifyJob(tx, row.replicaId, reason, 2, nowMs);
    if (jobId !== null) made.push(jobId);
  }
  return made;
}

export async function nodeOfTarget(tx: Tx, targetId: TargetId): Promise<NodeId | null> {
  const [row] = await tx.select({ nodeId: target.nodeId }).from(target).where(eq(target.targetId, targetId));
  return row?.nodeId ?? null;
}

async function placeOfReplica(tx: Tx, replicaId: ReplicaId) {
  const [row] = await tx
    .select({ datasetId: replica.datasetId, versionId: replica.versionId, targetId: replica.targetId, nodeId: target.nodeId, state: replica.state })
    .from(replica)
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .where(eq(replica.replicaId, replicaId));
  return row ?? null;
}
