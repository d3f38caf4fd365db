import type { DatasetId, NodeId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { type ReplicaEvent, type ReplicaState, replicaMachine } from '@data-in-motion/shared/domain/replica';
import { step } from '@data-in-motion/shared/machine';
import { and, eq, inArray } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { replica, target } from './schema.ts';

export type ReplicaRow = typeof replica.$inferSelect;
type ReplicaPatch = Partial<Pick<ReplicaRow, 'verifiedRoot' | 'verifiedAtMs' | 'verifiedLevel' | 'verifiedBy' | 'activated' | 'why' | 'versionId'>>;

/** A new copy, `joining` until it is read back. Its name is new and never used again. */
export async function insertReplica(
  tx: Tx,
  made: { replicaId: ReplicaId; datasetId: DatasetId; versionId: VersionId | null; targetId: TargetId; why: string; nowMs: number },
): Promise<void> {
  await tx.insert(replica).values({
    replicaId: made.replicaId,
    datasetId: made.datasetId,
    versionId: made.versionId,
    targetId: made.targetId,
    why: made.why,
    createdAtMs: made.nowMs,
  });
}

/** What people read about a change of a copy; changes without a sentence make no event. */
const sentences: Partial<Record<ReplicaEvent, { severity: 'info' | 'warning' | 'error'; says: string }>> = {
  'found-corrupt': { severity: 'error', says: 'differs from its manifest' },
  'found-missing': { severity: 'error', says: 'is not there' },
  doubted: { severity: 'warning', says: 'does not count until it is read back' },
  trashed: { severity: 'info', says: 'left its place and is in the trash' },
  purged: { severity: 'info', says: 'is gone for good' },
  kept: { severity: 'warning', says: 'stays: it could not be checked' },
  differs: { severity: 'error', says: 'was written to, and is kept for a person' },
};

/**
 * Let something happen to a copy, by its table. False when that is not possible in its state; nothing changes then.
 * The caller holds the lock on the dataset.
 */
export async function changeReplica(tx: Tx, replicaId: ReplicaId, event: ReplicaEvent, patch: ReplicaPatch, nowMs: number, because = ''): Promise<boolean> {
  const [row] = await tx.select().from(replica).where(eq(replica.replicaId, replicaId)).for('update');
  if (row === undefined) return false;
  const next = step(replicaMachine, row.state, event);
  if (!next.ok) return false;
  const over: readonly ReplicaState[] = ['purged', 'abandoned'];
  await tx
    .update(replica)
    .set({ ...patch, state: next.state, endedAtMs: over.includes(next.state) ? nowMs : null })
    .where(eq(replica.replicaId, replicaId));
  const sentence = sentences[event];
  if (sentence !== undefined && next.state !== row.state) {
    await appendEvents(tx, nowMs, [
      {
        type: `replica.${event}`,
        severity: sentence.severity,
        text: `The copy of ${row.datasetId} on ${row.targetId} ${sentence.says}${because === '' ? '' : `: ${because}`}`,
        ids: { replicaId, datasetId: row.datasetId, targetId: row.targetId },
        by: 'control-plane',
      },
    ]);
  }
  return true;
}

/** A copy that will never be finished. One that was verified already stays: it is good, and the reconciler decides about it. */
export async function abandonReplica(tx: Tx, replicaId: ReplicaId, nowMs: number): Promise<void> {
  const [row] = await tx.select({ state: replica.state }).from(replica).where(eq(replica.replicaId, replicaId));
  if (row?.state === 'joining') await changeReplica(tx, replicaId, 'abandon', {}, nowMs);
}

/** The copies on a node that count or may count again. */
export async function replicasOnNode(tx: Tx, nodeId: NodeId, states: readonly ReplicaState[]): Promise<ReplicaRow[]> {
  const rows = await tx
    .select({ replica })
    .from(replica)
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .where(and(eq(target.nodeId, nodeId), inArray(replica.state, [...states])));
  return rows.map((row) => row.replica);
}
