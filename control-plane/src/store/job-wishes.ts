import type { JobId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { jobMachine } from '@data-in-motion/shared/domain/job';
import { step } from '@data-in-motion/shared/machine';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, eq } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { changeJob, type JobRow, lockJob, waitingStates } from './job-rows.ts';
import { changeReplica, insertReplica } from './replicas.ts';
import { job, pointer } from './schema.ts';

/** What came of a person's wish. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A person says: try again now. A job that was given up starts anew; one that waits does not wait any longer. */
export async function retryJob(tx: Tx, jobId: JobId, nowMs: number): Promise<Verdict> {
  const row = await lockJob(tx, jobId);
  if (row === undefined) return { ok: false, reason: 'there is no such job' };
  if (waitingStates.includes(row.state)) {
    await changeJob(tx, row, [], { notBeforeMs: null, attempt: 0, waitingBecause: null }, nowMs);
    return { ok: true };
  }
  if (row.state === 'paused') return resumeJob(tx, row, nowMs);
  if (row.state !== 'dead-letter') return { ok: false, reason: `a job that is "${row.state}" can not be retried` };
  const [same] = await tx
    .select({ jobId: job.jobId })
    .from(job)
    .where(and(eq(job.key, row.key), eq(job.active, true)));
  if (same !== undefined) return { ok: false, reason: `job ${same.jobId} does the same already` };
  const [held] = await tx.select().from(pointer).where(eq(pointer.datasetId, row.datasetId));
  if (row.purpose === 'import' && row.versionId !== null && held !== undefined && held.versionId > row.versionId)
    return { ok: false, reason: 'a newer version was imported since; import this source as a new version instead' };
  const toReplicaId = await renewDestination(tx, row, nowMs);
  await changeJob(tx, row, ['retry'], { attempt: 0, sourceChanges: 0, notBeforeMs: null, waitingBecause: null, error: null, toReplicaId }, nowMs);
  return { ok: true };
}

async function resumeJob(tx: Tx, row: JobRow, nowMs: number): Promise<Verdict> {
  await changeJob(tx, row, ['resume'], { notBeforeMs: null, waitingBecause: null }, nowMs);
  return { ok: true };
}

/** A person says: do not. Possible until the switch; a conflict is thereby settled: what differs stays where it is, and is no copy of ours any more. */
export async function cancelJob(tx: Tx, jobId: JobId, nowMs: number): Promise<Verdict> {
  const row = await lockJob(tx, jobId);
  if (row === undefined) return { ok: false, reason: 'there is no such job' };
  if (row.state === 'conflict') {
    await changeJob(tx, row, ['resolve'], { waitingBecause: null }, nowMs);
    if (row.fromReplicaId !== null) await changeReplica(tx, row.fromReplicaId, 'abandon', {}, nowMs);
    return { ok: true };
  }
  if (!step(jobMachine, row.state, 'cancel').ok) return { ok: false, reason: `a job that is "${row.state}" can not be cancelled` };
  await changeJob(tx, row, ['cancel'], { waitingBecause: null, notBeforeMs: null }, nowMs);
  return { ok: true };
}

/** A replica's name is never used twice: what was abandoned gets a successor at the same target. */
async function renewDestination(tx: Tx, row: JobRow, nowMs: number): Promise<ReplicaId | null> {
  if (row.toReplicaId === null || row.toTargetId === null || row.toReplicaId === row.fromReplicaId) return row.toReplicaId;
  const replicaId = ulid(nowMs, systemRandom) as ReplicaId;
  await insertReplica(tx, { replicaId, datasetId: row.datasetId, versionId: row.versionId, targetId: row.toTargetId, why: row.reason, nowMs });
  return replicaId;
}
