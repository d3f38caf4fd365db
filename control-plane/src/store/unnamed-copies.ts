import type { NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import { and, eq, inArray, isNotNull, isNull, or } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { insertPromotionJob } from './jobs.ts';
import { job, pointer, replica, target } from './schema.ts';

/**
 * Make up for switches that were made while an agent or its target was away, so that their jobs ended before the copy was named there and the certificate kept.
 * Both are done now, by a switch to the same copy: readers who were sent to it are sent there once more, any other copy only joins.
 */
export async function nameUnnamed(tx: Tx, at: { readonly nodeId: NodeId } | { readonly targetId: TargetId }, nowMs: number): Promise<void> {
  const place = 'nodeId' in at ? eq(target.nodeId, at.nodeId) : eq(target.targetId, at.targetId);
  const rows = await tx
    .selectDistinct({ replicaId: replica.replicaId, primary: pointer.replicaId, targetId: replica.targetId })
    .from(job)
    .innerJoin(replica, eq(replica.replicaId, job.toReplicaId))
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .innerJoin(pointer, and(eq(pointer.datasetId, replica.datasetId), eq(pointer.versionId, replica.versionId)))
    .where(
      and(
        place,
        eq(job.active, false),
        isNotNull(job.switchRev),
        isNull(job.activatedAtMs),
        inArray(replica.state, ['verified', 'suspect', 'missing']),
        or(eq(replica.activated, false), eq(pointer.changedByJob, job.jobId)),
      ),
    )
    .orderBy(replica.replicaId);
  for (const { replicaId, primary, targetId } of rows)
    await insertPromotionJob(
      tx,
      replicaId,
      `${targetId} was lost before its agent had named the copy`,
      replicaId === primary ? 'replace-bad-copy' : null,
      nowMs,
    );
}
