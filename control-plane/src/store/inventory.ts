import type { NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { eq, inArray } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { insertVerifyJob } from './jobs.ts';
import { changeReplica, replicasOnNode } from './replicas.ts';
import { datasetVersion, replica, target } from './schema.ts';

/** Compare a complete listing of one target with what is known: what should be there and is not is `missing` until it is verified. */
export async function applyInventory(tx: Tx, nodeId: NodeId, record: RecordOf<'inventory'>, nowMs: number): Promise<void> {
  const [at] = await tx.select({ nodeId: target.nodeId }).from(target).where(eq(target.targetId, record.targetId));
  if (at?.nodeId !== nodeId) return;
  const live = new Map(record.replicas.filter((found) => found.place === 'live').map((found) => [found.replicaId, found]));
  for (const row of await replicasOnNode(tx, nodeId, ['verified', 'suspect', 'missing'])) {
    if (row.targetId !== record.targetId) continue;
    const found = live.get(row.replicaId);
    if (found === undefined) {
      // A listing can be older than the last verification; only the agent that looks now is believed, by reading.
      if (row.state !== 'missing') await changeReplica(tx, row.replicaId, 'doubted', {}, nowMs, 'the agent did not list it');
      await insertVerifyJob(tx, row.replicaId, 'the agent did not list it', 0, nowMs);
    } else if (found.root !== null && row.verifiedRoot !== null && found.root !== row.verifiedRoot) {
      await changeReplica(tx, row.replicaId, 'doubted', {}, nowMs, 'the agent lists it with another root');
      await insertVerifyJob(tx, row.replicaId, 'the agent lists it with another root', 0, nowMs);
    } else if (row.state === 'missing') {
      await insertVerifyJob(tx, row.replicaId, 'it was missing and is listed again', 1, nowMs);
    }
  }
  const unknown = [...record.unknown, ...(await notOurs(tx, record.replicas))];
  if (unknown.length > 0) await tellUnknown(tx, nodeId, record.targetId, unknown, nowMs);
}

/** Listed copies that no row speaks of, or that are over by their row; what will be deleted as never whole (see `clearLeftovers`) is not among them. */
async function notOurs(tx: Tx, listed: RecordOf<'inventory'>['replicas']): Promise<string[]> {
  if (listed.length === 0) return [];
  const rows = await tx
    .select({ replicaId: replica.replicaId, state: replica.state, verifiedAtMs: replica.verifiedAtMs, root: datasetVersion.root })
    .from(replica)
    .leftJoin(datasetVersion, eq(datasetVersion.versionId, replica.versionId))
    .where(
      inArray(
        replica.replicaId,
        listed.map((found) => found.replicaId),
      ),
    );
  const known = new Map(rows.map((row) => [row.replicaId, row]));
  return listed
    .filter(({ replicaId }) => {
      const row = known.get(replicaId);
      if (row === undefined || row.state === 'purged') return true;
      return row.state === 'abandoned' && (row.verifiedAtMs !== null || row.root === null);
    })
    .map((found) => `${found.datasetId}/${found.replicaId}`);
}

/** Data that nobody knows is told, never touched. */
async function tellUnknown(tx: Tx, nodeId: NodeId, targetId: TargetId, unknown: readonly string[], nowMs: number): Promise<void> {
  const names = unknown.slice(0, 5).join(', ');
  await appendEvents(tx, nowMs, [
    {
      type: 'target.unknown-data',
      severity: 'warning',
      text: `${unknown.length} ${unknown.length === 1 ? 'thing' : 'things'} on ${targetId} that no job and no copy accounts for: ${names}`,
      ids: { targetId, nodeId, things: unknown.length },
      by: nodeId,
    },
  ]);
}
