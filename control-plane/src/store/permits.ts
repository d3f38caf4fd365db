import type { DatasetId, JobId, PermitId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, eq, gt, isNull, max, min } from 'drizzle-orm';
import { type CopyFacts, type Guards, type LeaveFacts, type Objection, protocolGuards, purgeObjection, retireObjection, standIns } from '../jobs/guards.ts';
import { copiesOf } from './copies.ts';
import type { Tx } from './database.ts';
import { changeJob, type JobRow, lockJob } from './job-rows.ts';
import { insertVerifyJob } from './jobs.ts';
import { lostPlaces } from './leases.ts';
import { changeReplica } from './replicas.ts';
import { datasetVersion, job, permit, pointer, replica, switchLog } from './schema.ts';
import { oweVerification } from './sync-queue.ts';

export interface PermitSettings {
  readonly graceMs: number;
  readonly trashMs: number;
  /** A copy stands in for another only when it was read back within this time. */
  readonly freshMs: number;
  /** Commits of this store survive the loss of power. */
  readonly commitsAreDurable: boolean;
}

export type PermitOutcome =
  | { readonly kind: 'granted'; readonly permitId: PermitId }
  /** Granted before, and nothing has come to speak against it. */
  | { readonly kind: 'stands' }
  | { readonly kind: 'held'; readonly because: string }
  | { readonly kind: 'ended'; readonly because: string };

/**
 * T10: let a copy leave. Runs at Read Committed with the dataset's row locked first: with a snapshot, or without the lock, two such
 * transactions each see the other's copy and both are granted (measured on PostgreSQL 15). One permit per copy and kind, one use.
 */
export async function grantRetire(tx: Tx, jobId: JobId, settings: PermitSettings, nowMs: number, guards: Guards = protocolGuards): Promise<PermitOutcome> {
  const row = await lockJob(tx, jobId);
  if (row === undefined || row.fromReplicaId === null) return { kind: 'held', because: 'there is no such job' };
  const facts = await leaveFacts(tx, row, settings, nowMs);
  if (facts === null || facts.leaving.state === 'retiring') return endUseless(tx, row, 'the copy is not there any more', nowMs);
  if (facts.leaving.state === 'missing') {
    await changeReplica(tx, row.fromReplicaId, 'abandon', {}, nowMs);
    return endUseless(tx, row, 'nothing was there to remove', nowMs);
  }
  // A switch back while readers drained makes the old copy the primary again: it stays.
  if (row.purpose === 'move' && facts.pointer?.replicaId === row.fromReplicaId) return endUseless(tx, row, 'readers were sent back to the old copy', nowMs);
  const objection = retireObjection(facts, guards) ?? (await staleStandIns(tx, facts, nowMs - settings.freshMs, nowMs));
  if (objection !== null) return hold(tx, row, objection, nowMs);
  if (!(await changeReplica(tx, row.fromReplicaId, 'permit', {}, nowMs)))
    return endUseless(tx, row, `a copy that is "${facts.leaving.state}" can not leave`, nowMs);
  const permitId = await issuePermit(tx, row, facts, 'retire', nowMs);
  await changeJob(tx, row, ['permit'], { epoch: row.epoch + 1, waitingBecause: null, notBeforeMs: null, leaseExpiresAtMs: nowMs + offeredForMs }, nowMs, {
    permitId,
  });
  return { kind: 'granted', permitId };
}

/** The switch that a permit rests on was durable when it was granted; one after it, which is not yet, goes back to that one when it is lost. */
const laterSwitchesCount = (): Objection => null;

/**
 * Look again at a permit to leave that is out: what it rests on may be gone since, while its agent was away. It stands while no guard objects; else it is
 * withdrawn, and the copy counts again once it is read back. An agent may have used it by then: that reading tells.
 *
 * @param against what speaks against it beside the guards
 */
export async function reviewRetire(
  tx: Tx,
  jobId: JobId,
  settings: PermitSettings,
  against: Objection,
  nowMs: number,
  guards: Guards = protocolGuards,
): Promise<PermitOutcome> {
  const row = await lockJob(tx, jobId);
  if (row?.state !== 'retiring' || row.fromReplicaId === null) return { kind: 'held', because: 'no copy is on its way out' };
  const facts = await leaveFacts(tx, row, settings, nowMs);
  const isLost = (await lostPlaces(tx, row)).source;
  const objection = isLost
    ? 'its node is lost'
    : (against ?? (facts === null ? 'the copy is not known' : retireObjection(facts, { ...guards, durableSwitch: laterSwitchesCount })));
  if (objection === null) return offerOn(tx, row, nowMs);
  await withdraw(tx, row.fromReplicaId, 'retire');
  const because = `its permit to leave was withdrawn: ${objection}`;
  await changeReplica(tx, row.fromReplicaId, 'kept', {}, nowMs, because);
  if (isLost) await oweVerification(tx, { replicaId: row.fromReplicaId, datasetId: row.datasetId, nodeId: row.sourceNodeId ?? row.moverNodeId }, nowMs);
  else await insertVerifyJob(tx, row.fromReplicaId, 'its permit to leave was withdrawn', 1, nowMs);
  return endUseless(tx, row, because, nowMs);
}

/**
 * T12: let what lies in the trash be deleted. The copies that stand in are read back once more before; what never stood in for anything needs none.
 * A permit that is out is looked at again each time, and withdrawn when something has come to speak against it.
 *
 * @param against what speaks against it beside the guards
 */
export async function grantPurge(
  tx: Tx,
  jobId: JobId,
  settings: PermitSettings,
  against: Objection,
  nowMs: number,
  guards: Guards = protocolGuards,
): Promise<PermitOutcome> {
  const row = await lockJob(tx, jobId);
  if (row === undefined || row.state !== 'trashed' || row.fromReplicaId === null) return { kind: 'held', because: 'nothing lies in the trash' };
  if ((await lostPlaces(tx, row)).source) {
    await withdraw(tx, row.fromReplicaId, 'purge');
    return endUseless(tx, row, 'its node is lost; what lies in the trash there is seen to when it returns', nowMs);
  }
  const facts = await leaveFacts(tx, row, settings, nowMs);
  const [copy] = facts === null ? await tx.select().from(replica).where(eq(replica.replicaId, row.fromReplicaId)) : [];
  // By the permit of an earlier job, whose agent told of it late.
  if (copy?.state === 'purged') {
    await withdraw(tx, row.fromReplicaId, 'purge');
    return endUseless(tx, row, 'it is gone already', nowMs);
  }
  const objection = against ?? (facts === null ? await neverCounted(tx, copy) : purgeObjection(facts, guards));
  if (objection !== null) {
    await withdraw(tx, row.fromReplicaId, 'purge');
    if (facts?.trashedAtMs != null && nowMs >= facts.trashedAtMs + facts.trashMs) await staleStandIns(tx, facts, facts.trashedAtMs, nowMs);
    return hold(tx, row, objection, nowMs);
  }
  const [granted] = await tx
    .select()
    .from(permit)
    .where(and(eq(permit.jobId, row.jobId), eq(permit.kind, 'purge'), isNull(permit.usedAtMs)));
  if (granted !== undefined) return offerOn(tx, row, nowMs);
  const permitId = await issuePermit(tx, row, facts, 'purge', nowMs);
  await changeJob(tx, row, [], { waitingBecause: null, notBeforeMs: null, leaseExpiresAtMs: nowMs + offeredForMs }, nowMs);
  return { kind: 'granted', permitId };
}

/** A permit is offered to its agent this long after its guards were looked at. */
const offeredForMs = 120_000;

async function offerOn(tx: Tx, row: JobRow, nowMs: number): Promise<PermitOutcome> {
  if ((row.leaseExpiresAtMs ?? 0) < nowMs + offeredForMs / 2) await changeJob(tx, row, [], { leaseExpiresAtMs: nowMs + offeredForMs }, nowMs);
  return { kind: 'stands' };
}

async function withdraw(tx: Tx, replicaId: ReplicaId, kind: 'retire' | 'purge'): Promise<void> {
  await tx.delete(permit).where(and(eq(permit.replicaId, replicaId), eq(permit.kind, kind), isNull(permit.usedAtMs)));
}

/** A copy that was given up before it was ever verified protects nothing; no other copy has to stand in for it. */
async function neverCounted(tx: Tx, copy: typeof replica.$inferSelect | undefined): Promise<Objection> {
  if (copy?.state !== 'abandoned') return 'the copy is not known';
  const [held] = await tx.select().from(pointer).where(eq(pointer.datasetId, copy.datasetId));
  return copy.verifiedAtMs === null && held?.replicaId !== copy.replicaId ? null : 'it was verified once, so it is for a person to remove';
}

async function leaveFacts(tx: Tx, row: JobRow, settings: PermitSettings, nowMs: number): Promise<LeaveFacts | null> {
  const { policy, copies } = await copiesOf(tx, row.datasetId);
  const leaving = copies.find((copy) => copy.replicaId === row.fromReplicaId);
  if (leaving === undefined) return null;
  const [held] = await tx.select().from(pointer).where(eq(pointer.datasetId, row.datasetId));
  const [version] = held === undefined ? [] : await tx.select().from(datasetVersion).where(eq(datasetVersion.versionId, held.versionId));
  return {
    purpose: row.purpose,
    leaving,
    leavingIsBad: leaving.state === 'corrupt' || leaving.state === 'missing' || (leaving.state === 'retiring' && row.need === 'replace-bad-copy'),
    unreadable: version?.unreadable ?? 0,
    others: copies.filter((copy) => copy.replicaId !== row.fromReplicaId),
    pointer: held ?? null,
    copiesWanted: policy.copies,
    arrived: row.purpose === 'move' ? row.toReplicaId : null,
    switchedAtMs: row.switchedAtMs,
    readersLeftAtMs: await readersLeftAtMs(tx, row.datasetId, leaving.replicaId),
    recheckedAtMs: row.recheckedAtMs,
    switchIsDurable:
      settings.commitsAreDurable ||
      ((row.purpose !== 'move' || row.witnessedAtMs !== null) && (held === undefined || (await isActivated(tx, held.changedByJob)))),
    trashedAtMs: row.trashedAtMs,
    targetFrozen: leaving.frozen,
    graceMs: settings.graceMs,
    trashMs: settings.trashMs,
    nowMs,
  };
}

/** When a switch last sent readers from a copy to another: the one that follows the copy's own. */
async function readersLeftAtMs(tx: Tx, datasetId: DatasetId, replicaId: ReplicaId): Promise<number | null> {
  const ofDataset = eq(switchLog.datasetId, datasetId);
  const [own] = await tx
    .select({ toRev: max(switchLog.toRev) })
    .from(switchLog)
    .where(and(ofDataset, eq(switchLog.replicaId, replicaId)));
  if (own?.toRev == null) return null;
  const [next] = await tx
    .select({ atMs: min(switchLog.atMs) })
    .from(switchLog)
    .where(and(ofDataset, gt(switchLog.toRev, own.toRev)));
  return next?.atMs ?? null;
}

/** Whether the agent of the primary has journaled the certificate of the pointer's last change. */
async function isActivated(tx: Tx, jobId: JobId): Promise<boolean> {
  const [row] = await tx.select({ atMs: job.activatedAtMs }).from(job).where(eq(job.jobId, jobId));
  return row !== undefined && row.atMs !== null;
}

/** Ask that stand-ins which were not read back since `sinceMs` are; an objection while too few were. */
async function staleStandIns(tx: Tx, facts: LeaveFacts, sinceMs: number, nowMs: number): Promise<Objection> {
  const stale = standIns(facts).filter((copy: CopyFacts) => (copy.verifiedAtMs ?? 0) < sinceMs);
  for (const copy of stale) await insertVerifyJob(tx, copy.replicaId, 'another copy wants to leave', 1, nowMs);
  return stale.length === 0 ? null : 'the copies that stay are read back first';
}

/** A permit that was granted before and never used is given to the present job; a used one is never given again. */
async function issuePermit(tx: Tx, row: JobRow, facts: LeaveFacts | null, kind: 'retire' | 'purge', nowMs: number): Promise<PermitId> {
  const permitId = ulid(nowMs, systemRandom) as PermitId;
  const replicaId = row.fromReplicaId as ReplicaId;
  await withdraw(tx, replicaId, kind);
  const dependsOn = facts === null ? [] : standIns(facts).map((copy) => copy.replicaId);
  await tx
    .insert(permit)
    .values({ permitId, kind, jobId: row.jobId, replicaId, pointerRev: facts?.pointer?.rev ?? 0, dependsOn, epoch: row.epoch + 1, grantedAtMs: nowMs });
  return permitId;
}

/** How soon to look again at a copy that may not leave yet. */
const lookAgainMs = 5_000;

async function hold(tx: Tx, row: JobRow, because: string, nowMs: number): Promise<PermitOutcome> {
  await changeJob(tx, row, [], { waitingBecause: because, notBeforeMs: nowMs + lookAgainMs, leaseExpiresAtMs: null }, nowMs);
  return { kind: 'held', because };
}

/** A job whose copy can not or need not leave is over; nothing was deleted. */
async function endUseless(tx: Tx, row: JobRow, because: string, nowMs: number): Promise<PermitOutcome> {
  const event = ['grace', 'retiring', 'trashed'].includes(row.state) ? ('kept' as const) : ('cancel' as const);
  await changeJob(tx, row, [event], { waitingBecause: because, notBeforeMs: null, leaseExpiresAtMs: null }, nowMs);
  return { kind: 'ended', because };
}
