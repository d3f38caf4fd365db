import { and, asc, desc, eq, inArray, isNotNull, lt, ne, notExists, or, sql } from 'drizzle-orm';
import { workingStates } from '../store/job-rows.ts';
import { insertVerifyJob, restAfterGivingUpMs } from '../store/jobs.ts';
import { job, node, replica, target } from '../store/schema.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';

/**
 * Read the copy back that was looked at longest ago, once it is due; one copy of the fleet at a time, so that scrubbing is never what makes it slow.
 * One that is doubted is due at once: until somebody looks it counts for nothing and keeps its place. A check that failed rests, and the others are
 * not held up by it.
 */
export async function scrubOldest({ store, settings }: LoopParts, write: LeaderWrite): Promise<void> {
  const nowMs = await store.nowMs();
  const [running] = await store.db
    .select({ jobId: job.jobId })
    .from(job)
    .where(and(eq(job.active, true), eq(job.purpose, 'verify'), inArray(job.state, ['planned', ...workingStates])))
    .limit(1);
  if (running !== undefined) return;
  const checks = and(eq(job.fromReplicaId, replica.replicaId), eq(job.purpose, 'verify'));
  const rests = or(eq(job.active, true), and(inArray(job.state, ['dead-letter', 'cancelled']), sql`${job.endedAtMs} > ${nowMs - restAfterGivingUpMs}`));
  const [oldest] = await store.db
    .select({ replicaId: replica.replicaId, state: replica.state })
    .from(replica)
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .innerJoin(node, eq(node.nodeId, target.nodeId))
    .where(
      and(
        inArray(replica.state, ['verified', 'suspect']),
        eq(node.agentState, 'online'),
        eq(target.reachable, true),
        ne(target.state, 'lost'),
        isNotNull(replica.verifiedAtMs),
        or(eq(replica.state, 'suspect'), lt(replica.verifiedAtMs, nowMs - settings.scrubEveryMs)),
        notExists(store.db.select({ one: sql`1` }).from(job).where(and(checks, rests))),
      ),
    )
    .orderBy(
      desc(eq(replica.state, 'suspect')),
      asc(
        sql`greatest(${replica.verifiedAtMs}, (${store.db
          .select({ atMs: sql`max(${job.createdAtMs})` })
          .from(job)
          .where(checks)}))`,
      ),
    )
    .limit(1);
  if (oldest !== undefined)
    await write(
      async (tx, atMs) =>
        void (await insertVerifyJob(tx, oldest.replicaId, oldest.state === 'suspect' ? 'it is doubted' : 'it was read back longest ago', 4, atMs)),
    );
}
