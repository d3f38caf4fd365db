import type { DatasetId, NodeId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { and, eq, inArray, lt } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { insertVerifyJob } from './jobs.ts';
import { replica, syncQueue, target } from './schema.ts';

const keptAppliedMs = 86_400_000;

/** A copy on a node that came back is owed a verification before it counts; asked twice it is owed once. */
export async function oweVerification(tx: Tx, owed: { replicaId: ReplicaId; datasetId: DatasetId; nodeId: NodeId }, nowMs: number): Promise<void> {
  const row = {
    id: `verify-returned:${owed.replicaId}`,
    kind: 'verify-returned',
    ...owed,
    state: 'pending' as const,
    attempts: 0,
    detail: '',
    createdAtMs: nowMs,
    changedAtMs: nowMs,
  };
  await tx
    .insert(syncQueue)
    .values(row)
    .onConflictDoUpdate({ target: syncQueue.id, set: { state: 'pending', attempts: 0, detail: '', changedAtMs: nowMs } });
}

/**
 * Work off what is owed on one node: a doubted copy gets a verify job, one that is settled is crossed out.
 * Answers how many are still owed; the node is whole again when there are none.
 */
export async function settleVerifications(tx: Tx, nodeId: NodeId, nowMs: number): Promise<number> {
  const rows = await tx
    .select()
    .from(syncQueue)
    .where(and(eq(syncQueue.nodeId, nodeId), eq(syncQueue.state, 'pending')));
  let owed = 0;
  for (const row of rows) {
    const [copy] = await tx
      .select({ state: replica.state, place: target.state })
      .from(replica)
      .innerJoin(target, eq(target.targetId, replica.targetId))
      .where(eq(replica.replicaId, row.replicaId!));
    // It is read back when its target is there again.
    if (copy?.place === 'lost') continue;
    if (copy?.state === 'suspect' || copy?.state === 'missing') {
      const made = await insertVerifyJob(tx, row.replicaId!, `its node ${nodeId} was away`, 1, nowMs);
      if (made !== null)
        await tx
          .update(syncQueue)
          .set({ attempts: row.attempts + 1, detail: `job ${made}`, changedAtMs: nowMs })
          .where(eq(syncQueue.id, row.id));
      // A copy that was found missing after it was asked for is settled: the reconciler makes another.
      if (copy.state === 'suspect' || row.attempts === 0) {
        owed++;
        continue;
      }
    }
    await tx
      .update(syncQueue)
      .set({ state: copy?.state === 'verified' ? 'applied' : 'failed', detail: `the copy is ${copy?.state ?? 'gone'}`, changedAtMs: nowMs })
      .where(eq(syncQueue.id, row.id));
  }
  await tx.delete(syncQueue).where(and(inArray(syncQueue.state, ['applied', 'failed']), lt(syncQueue.changedAtMs, nowMs - keptAppliedMs)));
  return owed;
}
