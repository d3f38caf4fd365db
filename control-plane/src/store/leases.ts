import type { JobId, NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, eq, inArray } from 'drizzle-orm';
import { heardStates } from '../health/agents.ts';
import { isPromotion } from '../jobs/advance.ts';
import { endAlert } from './alerts.ts';
import { copiesOf } from './copies.ts';
import type { Tx } from './database.ts';
import { changeJob, type JobRow, lockJob, waitingStates, workingStates } from './job-rows.ts';
import { nodeOfTarget } from './jobs.ts';
import { abandonReplica, insertReplica } from './replicas.ts';
import { jobTransition, node, pointer, target } from './schema.ts';

type NodeRow = typeof node.$inferSelect;

/** T2: give a job to its agent, under a new epoch that fences every lease before it. False, with the reason on the job, when it can not be now. */
export async function leaseJob(tx: Tx, jobId: JobId, leaseMs: number, nowMs: number): Promise<boolean> {
  const row = await lockJob(tx, jobId);
  if (row === undefined || !waitingStates.includes(row.state) || row.purpose === 'retire') return false;
  if (row.notBeforeMs !== null && row.notBeforeMs > nowMs) return false;
  const [mover] = await tx.select().from(node).where(eq(node.nodeId, row.moverNodeId));
  if (mover === undefined || !takesWork(mover)) return wait(tx, row, `the agent of ${row.moverNodeId} is ${mover?.agentState ?? 'not known'}`, nowMs);
  const given = row.state === 'no-space' ? await afterFull(tx, row, nowMs) : null;
  if (given !== null) {
    const waitingBecause = given === 'cancel' ? 'its target stayed full, another place is looked for' : null;
    await changeJob(tx, row, [given], { waitingBecause, notBeforeMs: null }, nowMs);
    return true;
  }
  if (row.state === 'no-space' && !(await hasRoom(tx, row))) return wait(tx, row, 'the target is full', nowMs);
  const read = await chooseRead(tx, row);
  if (read === undefined) return wait(tx, row, 'no copy can be read now', nowMs);
  await changeJob(
    tx,
    row,
    ['lease'],
    {
      epoch: row.epoch + 1,
      leaseIncarnation: mover.incarnation,
      leaseExpiresAtMs: nowMs + leaseMs,
      readReplicaId: read,
      notBeforeMs: null,
      waitingBecause: null,
    },
    nowMs,
    { epoch: row.epoch + 1, nodeId: mover.nodeId },
  );
  return true;
}

function takesWork(row: NodeRow): boolean {
  return heardStates.includes(row.agentState);
}

/** How soon to try again what can not be leased. */
const lookAgainMs = 5_000;

async function wait(tx: Tx, row: JobRow, because: string, nowMs: number): Promise<false> {
  await changeJob(tx, row, [], { waitingBecause: because, notBeforeMs: nowMs + lookAgainMs }, nowMs);
  return false;
}

async function hasRoom(tx: Tx, row: JobRow): Promise<boolean> {
  if (row.toTargetId === null) return true;
  const [at] = await tx.select().from(target).where(eq(target.targetId, row.toTargetId));
  // The agent that measured it has taken the reserve off, and removed what it had begun to write.
  return at !== undefined && at.freeBytes > row.sizeBytes;
}

/** How long a full target is waited for, and how often room is believed that turns out to be none. */
const fullForMs = 600_000;
const fullTimes = 3;

/**
 * What becomes of a copy whose target has been full for long. By its own measure full, it is cancelled, so that the planner finds it another place. When the
 * target says that it has room and never has (a quota, no inodes), the planner would choose it again: the copy is given up, so that a person hears of it.
 * An import finds another place by itself.
 */
async function afterFull(tx: Tx, row: JobRow, nowMs: number): Promise<'cancel' | 'give-up' | null> {
  if (row.purpose !== 'copy' && row.purpose !== 'move') return null;
  const went = await tx
    .select({ event: jobTransition.event, atMs: jobTransition.atMs })
    .from(jobTransition)
    .where(and(eq(jobTransition.jobId, row.jobId), inArray(jobTransition.event, ['out-of-space', 'retry'])))
    .orderBy(jobTransition.seq);
  // A person's retry begins anew.
  const times = went.slice(went.findLastIndex(({ event }) => event === 'retry') + 1);
  if (Math.min(...times.map((one) => one.atMs)) > nowMs - fullForMs) return null;
  if (!(await hasRoom(tx, row))) return 'cancel';
  return times.length >= fullTimes ? 'give-up' : null;
}

/**
 * Which copy to read: a whole one from a place that can be relied on, then any that is whole, a doubted one last. Among equals it is the one that the plan
 * named and priced; where that is gone, one beside the destination if there is one.
 * What can not be reached is not tried.
 * Null where nothing is read from a copy (imports, checks); undefined when there is none to read.
 */
async function chooseRead(tx: Tx, row: JobRow): Promise<ReplicaId | null | undefined> {
  if (row.purpose === 'import' || row.purpose === 'verify' || isPromotion(row)) return null;
  const { copies } = await copiesOf(tx, row.datasetId);
  const candidates = copies.filter(
    (copy) => copy.versionId === row.versionId && copy.replicaId !== row.toReplicaId && ['verified', 'suspect'].includes(copy.state),
  );
  const online = await onlineNodes(
    tx,
    candidates.map((copy) => copy.nodeId),
  );
  const rank = (copy: (typeof candidates)[number]): number =>
    (copy.state === 'verified' ? 0 : 16) +
    (copy.reliable ? 0 : 8) +
    (copy.replicaId === row.readReplicaId ? 0 : 4) +
    (copy.nodeId === row.moverNodeId ? 0 : 2) +
    (copy.replicaId === row.fromReplicaId ? 0 : 1);
  return candidates.filter((copy) => copy.reachable && online.has(copy.nodeId)).sort((a, b) => rank(a) - rank(b) || (a.replicaId < b.replicaId ? -1 : 1))[0]
    ?.replicaId;
}

async function onlineNodes(tx: Tx, ids: readonly NodeId[]): Promise<Set<NodeId>> {
  if (ids.length === 0) return new Set();
  const rows = await tx
    .select()
    .from(node)
    .where(inArray(node.nodeId, [...new Set(ids)]));
  return new Set(rows.filter(takesWork).map((row) => row.nodeId));
}

/**
 * Take a job back whose agent started anew or was not heard for the time of a lease; by the database's clock only. Its next lease has a new epoch,
 * so whatever the old holder still does, it does under a name that nobody uses.
 */
export async function releaseIfLapsed(tx: Tx, jobId: JobId, leaseMs: number, nowMs: number): Promise<boolean> {
  const row = await lockJob(tx, jobId);
  if (row === undefined || !workingStates.includes(row.state) || awaitsDestination(row)) return false;
  const [mover] = await tx.select().from(node).where(eq(node.nodeId, row.moverNodeId));
  const because = lapsedBecause(row, mover, leaseMs, nowMs);
  if (because === null) return false;
  await changeJob(tx, row, ['release'], { leaseExpiresAtMs: null, waitingBecause: because }, nowMs, { epoch: row.epoch });
  return true;
}

function lapsedBecause(row: JobRow, mover: NodeRow | undefined, leaseMs: number, nowMs: number): string | null {
  if (mover === undefined) return `the agent of ${row.moverNodeId} is not known`;
  if (mover.incarnation !== row.leaseIncarnation) return `the agent of ${row.moverNodeId} started anew`;
  const untilMs = Math.max(row.leaseExpiresAtMs ?? 0, (mover.lastHeardAtMs ?? 0) + leaseMs);
  return untilMs > nowMs ? null : `the agent of ${row.moverNodeId} was not heard for ${Math.round(leaseMs / 1000)} s`;
}

/** An import that is scanned and has no place yet: nobody holds it, the control plane has to choose. */
export function awaitsDestination(row: JobRow): boolean {
  return row.purpose === 'import' && row.versionId !== null && row.toTargetId === null && (row.state === 'copying' || row.state === 'leased');
}

/** Give an import its place, and the job to the agent there, under a new epoch. */
export async function giveDestination(tx: Tx, jobId: JobId, targetId: TargetId, leaseMs: number, nowMs: number): Promise<boolean> {
  const row = await lockJob(tx, jobId);
  if (row === undefined || !awaitsDestination(row)) return false;
  const nodeId = await nodeOfTarget(tx, targetId);
  const [mover] = nodeId === null ? [] : await tx.select().from(node).where(eq(node.nodeId, nodeId));
  if (mover === undefined || !takesWork(mover)) return false;
  const toReplicaId = ulid(nowMs, systemRandom) as ReplicaId;
  await insertReplica(tx, {
    replicaId: toReplicaId,
    datasetId: row.datasetId,
    versionId: row.versionId,
    targetId,
    why: 'the cheapest place that the policy allowed when it was imported, with what its writes cost',
    nowMs,
  });
  const lease = { epoch: row.epoch + 1, leaseIncarnation: mover.incarnation, leaseExpiresAtMs: nowMs + leaseMs };
  await changeJob(tx, row, [], { ...lease, toReplicaId, toTargetId: targetId, moverNodeId: mover.nodeId, waitingBecause: null, notBeforeMs: null }, nowMs);
  await endAlert(tx, nowMs, 'import.no-place', jobId);
  return true;
}

/** Say why an import has no place. */
export async function awaitPlace(tx: Tx, jobId: JobId, because: string, nowMs: number): Promise<void> {
  const row = await lockJob(tx, jobId);
  if (row !== undefined && awaitsDestination(row) && row.waitingBecause !== because) await changeJob(tx, row, [], { waitingBecause: because }, nowMs);
}

/** The place of an import is gone or full: another is chosen when it is leased again. */
export async function dropDestination(tx: Tx, row: JobRow, nowMs: number): Promise<Partial<JobRow>> {
  if (row.purpose !== 'import' || row.toReplicaId === null) return {};
  await abandonReplica(tx, row.toReplicaId, nowMs);
  return { toReplicaId: null, toTargetId: null, moverNodeId: row.importSource?.nodeId ?? row.moverNodeId };
}

/**
 * A job that can not go on because a node or target it needs is lost. Before the switch it is cancelled, and the reconciler plans anew with what is left;
 * an import keeps what it scanned and gets another place. After the switch, see `endLostSwitch`.
 */
export async function settleLost(tx: Tx, jobId: JobId, nowMs: number): Promise<boolean> {
  const row = await lockJob(tx, jobId);
  if (row === undefined || !(workingStates.includes(row.state) || waitingStates.includes(row.state))) return false;
  const lost = await lostPlaces(tx, row);
  if (row.purpose === 'import') {
    if (row.toTargetId === null || !lost.destination) return false;
    const patch = await dropDestination(tx, row, nowMs);
    await changeJob(
      tx,
      row,
      row.state === 'planned' ? [] : ['release'],
      { ...patch, leaseExpiresAtMs: null, notBeforeMs: null, waitingBecause: 'its place was lost, another is chosen' },
      nowMs,
    );
    return true;
  }
  if (!lost.destination && !lost.source) return false;
  await changeJob(tx, row, ['cancel'], { waitingBecause: lost.destination ? 'its destination was lost' : 'the copy it is about was lost' }, nowMs);
  return true;
}

/**
 * A job whose switch is made and one of whose nodes is lost can not be taken to its end. A move ends here and nothing leaves, since the old copy may only leave
 * by its own agent and with the new copy read back; what is left over when the node returns is a surplus or a bad copy, and the reconciler decides about it anew.
 * Where the new copy's node is lost, a move waits while readers are still sent there. Any other job only waits for that node to name the copy: that is made up for
 * when it returns, see `nameUnnamed`.
 */
export async function endLostSwitch(tx: Tx, jobId: JobId, nowMs: number): Promise<boolean> {
  const row = await lockJob(tx, jobId);
  if (row === undefined || (row.state !== 'switched' && row.state !== 'grace')) return false;
  const lost = await lostPlaces(tx, row);
  if (row.purpose !== 'move') {
    if (!lost.destination) return false;
    await changeJob(tx, row, ['finish'], { waitingBecause: 'the node of the new copy was lost after the switch' }, nowMs);
    return true;
  }
  // The new copy's agent has to keep the certificate, or the switch could still be lost with the store.
  const keepsOld = lost.source && row.activatedAtMs !== null;
  if (!keepsOld && !(lost.destination && !(await isPrimary(tx, row)))) return false;
  const because = keepsOld ? 'the node of the old copy was lost, so that copy was not let go' : 'the node of the new copy was lost, so the old one stays';
  await changeJob(tx, row, [row.state === 'grace' ? 'kept' : 'finish'], { waitingBecause: because, notBeforeMs: null }, nowMs);
  return true;
}

async function isPrimary(tx: Tx, row: JobRow): Promise<boolean> {
  const [held] = await tx.select({ replicaId: pointer.replicaId }).from(pointer).where(eq(pointer.datasetId, row.datasetId));
  return held?.replicaId === row.toReplicaId;
}

/** Which of the places of a job are on a lost or revoked node, or are lost themselves. */
export async function lostPlaces(tx: Tx, row: JobRow): Promise<{ destination: boolean; source: boolean }> {
  const ids = [row.toTargetId, row.fromTargetId].filter((targetId) => targetId !== null);
  if (ids.length === 0) return { destination: false, source: false };
  const rows = await tx
    .select({ targetId: target.targetId, state: target.state, agentState: node.agentState })
    .from(target)
    .innerJoin(node, eq(node.nodeId, target.nodeId))
    .where(inArray(target.targetId, ids));
  const isLost = (targetId: TargetId | null): boolean => {
    const at = rows.find((found) => found.targetId === targetId);
    return targetId !== null && (at === undefined || at.state === 'lost' || at.agentState === 'lost' || at.agentState === 'revoked');
  };
  return { destination: isLost(row.toTargetId), source: isLost(row.fromTargetId) };
}
