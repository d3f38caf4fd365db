import { and, asc, eq, inArray, isNotNull, lt } from 'drizzle-orm';
import { insertVerifyJob } from '../store/jobs.ts';
import { job, node, replica, target } from '../store/schema.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';

/** Read the copy back that was read back longest ago, once it is due; one copy of the fleet at a time, so that scrubbing is never what makes it slow. */
export async function scrubOldest({ store, settings }: LoopParts, write: LeaderWrite): Promise<void> {
  const nowMs = await store.nowMs();
  const [running] = await store.db
    .select({ jobId: job.jobId })
    .from(job)
    .where(and(eq(job.active, true), eq(job.purpose, 'verify')))
    .limit(1);
  if (running !== undefined) return;
  const [oldest] = await store.db
    .select({ replicaId: replica.replicaId })
    .from(replica)
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .innerJoin(node, eq(node.nodeId, target.nodeId))
    .where(
      and(
        inArray(replica.state, ['verified', 'suspect']),
        eq(node.agentState, 'online'),
        isNotNull(replica.verifiedAtMs),
        lt(replica.verifiedAtMs, nowMs - settings.scrubEveryMs),
      ),
    )
    .orderBy(asc(replica.verifiedAtMs))
    .limit(1);
  if (oldest !== undefined) await write(async (tx, atMs) => void (await insertVerifyJob(tx, oldest.replicaId, 'it was read back longest ago', 4, atMs)));
}
