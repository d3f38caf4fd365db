import type { DatasetId, JobId, NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { JobRecord } from '@data-in-motion/shared/protocol/records';
import { eq } from 'drizzle-orm';
import type { Store } from '../../src/store/database.ts';
import { insertCopyJob } from '../../src/store/jobs.ts';
import { job, replica } from '../../src/store/schema.ts';
import { type FakeAgent, FakeFleet, type FleetOptions, sizeBytes } from './fake-fleet.ts';

export const n1 = 'node-1' as NodeId;
export const photos = 'photos' as DatasetId;

/** Three nodes, and what tests ask of them: one copy of everything, where the policy says nothing else. */
export async function startedFleet(store: Store, options: FleetOptions = {}) {
  const fleet = new FakeFleet(store, options);
  await fleet.build({ nodes: 3, policy: { copies: 1 }, ...options });
  const { db } = fleet.store;
  const jobs = (purpose: 'import' | 'copy' | 'verify' | 'retire' | 'move') => db.select().from(job).where(eq(job.purpose, purpose)).orderBy(job.jobId);
  const jobOf = async (jobId: JobId) => (await db.select().from(job).where(eq(job.jobId, jobId)))[0]!;
  const copies = () => db.select().from(replica).orderBy(replica.replicaId);
  const copyOf = async (replicaId: ReplicaId) => (await copies()).find((copy) => copy.replicaId === replicaId)!;
  const agentAt = (targetId: TargetId): FakeAgent => fleet.agents.get(`node-${targetId.slice(1, 2)}` as NodeId)!;
  const atRest = async () => (await db.select().from(job).where(eq(job.active, true))).length === 0;
  const restWith = (count: number) => async () => (await atRest()) && (await copies()).filter((copy) => copy.state === 'verified').length === count;
  /** The dataset `photos`, imported and at rest with its first copy. */
  const addPhotos = async () => {
    await fleet.addDataset(photos, n1);
    await fleet.runUntil(restWith(1));
    return (await copies())[0]!;
  };
  const failed = async (jobId: JobId, more: Pick<Extract<JobRecord, { event: 'failed' }>, 'class' | 'code'> & { readonly message?: string }): Promise<void> => {
    const row = await jobOf(jobId);
    const about = { type: 'job' as const, jobId, epoch: row.epoch, atMs: 1, event: 'failed' as const, message: 'no', hint: null, retryAfterMs: null };
    await fleet.report(row.moverNodeId, { ...about, ...more });
  };
  /** What the control plane does, with agents that are there and do nothing: heard before each look, however long the step to it was. */
  const passes = async (count: number, stepMs?: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await fleet.workRound(() => false);
      await fleet.passAndWork(1, () => false, stepMs);
    }
  };
  const plan = async (toTargetId: string, reads: ReplicaId | null = null) => {
    const { versionId } = (await copies())[0]!;
    const work = { datasetId: photos, versionId: versionId!, sizeBytes, need: 'add-copy', reason: 'test', planId: null, deviceId: null, priority: 1 };
    const made = { ...work, nowMs: fleet.clock.nowMs(), toTargetId: toTargetId as TargetId, replaces: null, reads };
    return (await fleet.store.transaction((tx) => insertCopyJob(tx, made)))!;
  };
  return { fleet, db, jobs, jobOf, copies, copyOf, agentAt, restWith, addPhotos, failed, passes, plan };
}
