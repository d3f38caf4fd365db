import { and, eq, inArray, isNull, ne, notExists, or, sql } from 'drizzle-orm';
import { heardStates } from '../health/agents.ts';
import { insertClearingJob } from '../store/jobs.ts';
import { datasetVersion, job, node, replica, target } from '../store/schema.ts';
import { type LeaderWrite, type LoopParts, tolerate } from './parts.ts';

const mostAtOnce = 20;

/**
 * Have deleted what takes room and no job sees to any more: copies that were given up before they were ever whole, and copies in the trash of a node
 * that was lost before they were deleted. What a person was asked about is left to that person.
 */
export async function clearLeftovers(parts: LoopParts, write: LeaderWrite): Promise<void> {
  const { db } = parts.store;
  const seenTo = db
    .select({ one: sql`1` })
    .from(job)
    .where(and(eq(job.fromReplicaId, replica.replicaId), inArray(job.purpose, ['move', 'retire']), or(eq(job.active, true), eq(job.state, 'conflict'))));
  const rows = await db
    .select({ replicaId: replica.replicaId })
    .from(replica)
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .innerJoin(node, eq(node.nodeId, target.nodeId))
    // A version that never came to be has no root to compare with: the agent's listing tells of such bytes.
    .innerJoin(datasetVersion, eq(datasetVersion.versionId, replica.versionId))
    .where(
      and(
        or(eq(replica.state, 'trashed'), and(eq(replica.state, 'abandoned'), isNull(replica.verifiedAtMs))),
        inArray(node.agentState, [...heardStates]),
        ne(target.state, 'lost'),
        eq(target.reachable, true),
        notExists(seenTo),
      ),
    )
    .orderBy(replica.replicaId)
    .limit(mostAtOnce);
  for (const { replicaId } of rows) await tolerate(parts, () => write((tx, nowMs) => insertClearingJob(tx, replicaId, nowMs)));
}
