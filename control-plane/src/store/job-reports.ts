import type { NodeId, ReplicaId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { JobRecord, RecordOf } from '@data-in-motion/shared/protocol/records';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulidAfter } from '@data-in-motion/shared/ulid';
import { and, desc, eq, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import { bytesText } from '../fleet/words.ts';
import { answerFailure, answerReport, defaultRetryPolicy, type JobStanding } from '../jobs/advance.ts';
import { raiseAlert } from './alerts.ts';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { changeJob, type JobRow, lockJob, workingStates } from './job-rows.ts';
import { insertVerifyJob } from './jobs.ts';
import { dropDestination } from './leases.ts';
import { abandonReplica, changeReplica } from './replicas.ts';
import { datasetVersion, fileSample, job, permit, pointer, replica } from './schema.ts';

type Report<Event extends JobRecord['event']> = Extract<JobRecord, { event: Event }>;

/**
 * Apply what an agent says happened to a job, inside the transaction that stores its batch.
 * Repeated and late reports change nothing; impossible ones and those of an old epoch are refused and counted as `job.report-refused`.
 */
export async function applyJobRecord(tx: Tx, nodeId: NodeId, record: JobRecord, nowMs: number): Promise<void> {
  const row = await lockJob(tx, record.jobId);
  if (row === undefined) return refuse(tx, nodeId, record, 'there is no such job', nowMs);
  if (row.moverNodeId !== nodeId && row.sourceNodeId !== nodeId) return refuse(tx, nodeId, record, 'the job is not for this agent', nowMs);
  if (record.event === 'failed') return applyFailure(tx, nodeId, row, record, nowMs);
  const answer = answerReport(await standingOf(tx, row), record);
  if (answer.kind === 'refused') return refuse(tx, nodeId, record, answer.because, nowMs);
  if (answer.kind === 'known') return row.active ? undefined : applyLateLeave(tx, record, nowMs);
  const patch = await effectOf(tx, nodeId, row, record, nowMs);
  const events = row.state === 'switched' && record.event === 'activated' && row.purpose !== 'move' ? (['finish'] as const) : answer.events;
  await changeJob(tx, row, events, patch, nowMs, { nodeId });
}

/**
 * A permit was used although it had been withdrawn: its agent had not heard of that. The copy is in the trash there, or gone; from the trash it
 * leaves as any other, when enough copies stand without it (see `clearLeftovers`).
 */
async function applyLateLeave(tx: Tx, record: JobRecord, nowMs: number): Promise<void> {
  if (record.event === 'purged') await changeReplica(tx, record.replicaId, 'purged', {}, nowMs);
  const because = 'its agent had let it go into the trash before it heard that the permit was withdrawn';
  if (record.event === 'trashed') await changeReplica(tx, record.replicaId, 'trashed', {}, nowMs, because);
}

async function standingOf(tx: Tx, row: JobRow): Promise<JobStanding> {
  const { purpose, state, epoch, toReplicaId, fromReplicaId, switchRev } = row;
  const [version] = row.versionId === null ? [] : await tx.select().from(datasetVersion).where(eq(datasetVersion.versionId, row.versionId));
  return { purpose, state, epoch, toReplicaId, fromReplicaId, switchRev, version: version ?? null };
}

/** What a report changes beside the job's state; the answer is for the job's row. */
async function effectOf(tx: Tx, nodeId: NodeId, row: JobRow, record: JobRecord, nowMs: number): Promise<Partial<JobRow>> {
  switch (record.event) {
    case 'started':
      return { waitingBecause: null };
    case 'manifest':
      return commitVersion(tx, row, record, nowMs);
    case 'copied':
      return { movedBytes: row.movedBytes + record.movedBytes };
    case 'verified':
      return countVerified(tx, nodeId, row, record, nowMs);
    case 'mismatched':
      return doubt(tx, row, record, nowMs);
    case 'activated':
      await activate(tx, row);
      return { activatedAtMs: nowMs };
    case 'witnessed':
      return { witnessedAtMs: nowMs };
    case 'trashed':
      await usePermit(tx, row, 'retire', nowMs);
      await changeReplica(tx, record.replicaId, 'trashed', { activated: false }, nowMs);
      return { trashedAtMs: nowMs, attempt: 0, notBeforeMs: null, error: null };
    case 'purged':
      await usePermit(tx, row, 'purge', nowMs);
      await changeReplica(tx, record.replicaId, 'purged', {}, nowMs);
      return { waitingBecause: null };
    case 'kept':
      return keep(tx, row, record, nowMs);
    case 'conflict':
      await usePermit(tx, row, row.state === 'trashed' ? 'purge' : 'retire', nowMs);
      await changeReplica(tx, record.replicaId, 'differs', {}, nowMs, `${record.path}: ${record.detail}`);
      return { waitingBecause: `${record.path}: ${record.detail}` };
    default:
      return {};
  }
}

/** T4: the version is written once, with the root that the source had when it was scanned. Repeated with the same root it is the same version. */
async function commitVersion(tx: Tx, row: JobRow, record: Report<'manifest'>, nowMs: number): Promise<Partial<JobRow>> {
  if (row.versionId !== null) return {};
  const [newest] = await tx
    .select({ versionId: datasetVersion.versionId })
    .from(datasetVersion)
    .where(eq(datasetVersion.datasetId, row.datasetId))
    .orderBy(desc(datasetVersion.versionId))
    .limit(1);
  const versionId = ulidAfter(newest?.versionId ?? null, nowMs, systemRandom) as VersionId;
  const [held] = await tx.select().from(pointer).where(eq(pointer.datasetId, row.datasetId));
  await tx.insert(datasetVersion).values({
    versionId,
    datasetId: row.datasetId,
    parentVersionId: held?.versionId ?? null,
    root: record.root,
    objects: record.objects,
    sizeBytes: record.bytes,
    unreadable: record.unreadable,
    duplicateObjects: record.duplicateObjects ?? null,
    duplicateBytes: record.duplicateBytes ?? null,
    notes: record.notes,
    jobId: row.jobId,
    committedAtMs: nowMs,
  });
  if (record.fileSample !== undefined) await tx.insert(fileSample).values({ versionId, ...record.fileSample });
  const unreadable = record.unreadable === 0 ? '' : `; ${record.unreadable} could not be read`;
  await appendEvents(tx, nowMs, [
    {
      type: 'dataset.version-committed',
      severity: record.unreadable === 0 ? 'info' : 'warning',
      text: `${row.datasetId}: a version of ${record.objects} ${record.objects === 1 ? 'object' : 'objects'}, ${bytesText(record.bytes)}${unreadable}`,
      ids: { datasetId: row.datasetId, jobId: row.jobId, versionId, root: record.root },
      by: 'control-plane',
    },
  ]);
  return { versionId, sizeBytes: record.bytes, waitingBecause: null };
}

/** T7: the copy equals the version, read back. In the grace time this is the check after the switch. */
async function countVerified(tx: Tx, nodeId: NodeId, row: JobRow, record: Report<'verified'>, nowMs: number): Promise<Partial<JobRow>> {
  const patch = { verifiedRoot: record.root, verifiedAtMs: nowMs, verifiedLevel: record.level, verifiedBy: nodeId };
  await changeReplica(tx, record.replicaId, 'verified', patch, nowMs);
  return row.state === 'grace' ? { recheckedAtMs: nowMs, error: null } : { error: null, waitingBecause: null };
}

/** A read-back that differs. A copy in the making is copied again; one that counted does not count any more. */
async function doubt(tx: Tx, row: JobRow, record: Report<'mismatched'>, nowMs: number): Promise<Partial<JobRow>> {
  const because = `${record.path}: ${record.detail}`;
  await changeReplica(tx, record.replicaId, record.found === 'missing' ? 'found-missing' : 'found-corrupt', {}, nowMs, because);
  if (row.state !== 'grace' && row.purpose !== 'verify') return { attempt: row.attempt + 1 };
  return { waitingBecause: because };
}

/** One copy per target is named by the `current` link. */
async function activate(tx: Tx, row: JobRow): Promise<void> {
  if (row.toReplicaId === null || row.toTargetId === null) return;
  await tx
    .update(replica)
    .set({ activated: false })
    .where(and(eq(replica.datasetId, row.datasetId), eq(replica.targetId, row.toTargetId)));
  await tx.update(replica).set({ activated: true }).where(eq(replica.replicaId, row.toReplicaId));
}

async function usePermit(tx: Tx, row: JobRow, kind: 'retire' | 'purge', nowMs: number): Promise<void> {
  if (row.fromReplicaId === null) return;
  await tx
    .update(permit)
    .set({ usedAtMs: nowMs })
    .where(and(eq(permit.replicaId, row.fromReplicaId), eq(permit.kind, kind), isNull(permit.usedAtMs)));
}

/** The old copy could not be checked, so it stays. What lies in the trash stays there and is looked at again later. */
async function keep(tx: Tx, row: JobRow, record: Report<'kept'>, nowMs: number): Promise<Partial<JobRow>> {
  if (row.state === 'trashed') return restPatch(row, nowMs, { class: 'device', code: 'replica.kept', message: record.because, hint: null });
  await changeReplica(tx, record.replicaId, 'kept', {}, nowMs, record.because);
  await insertVerifyJob(tx, record.replicaId, 'it could not be read when it was to leave', 1, nowMs);
  return { waitingBecause: record.because };
}

/** A step after the switch that did not work is asked for again under a new epoch, after a pause that grows. */
function restPatch(row: JobRow, nowMs: number, error: JobRow['error']): Partial<JobRow> {
  const pauseMs = Math.min(3_600_000, 5_000 * 2 ** Math.min(row.attempt, 12));
  return { attempt: row.attempt + 1, notBeforeMs: nowMs + pauseMs, epoch: row.epoch + 1, error, waitingBecause: error?.message ?? null };
}

async function applyFailure(tx: Tx, nodeId: NodeId, row: JobRow, record: Report<'failed'>, nowMs: number): Promise<void> {
  if (record.epoch !== row.epoch) return refuse(tx, nodeId, record, `it belongs to lease ${record.epoch}, the present one is ${row.epoch}`, nowMs);
  const error = { class: record.class, code: record.code, message: record.message, hint: record.hint };
  if (['switched', 'grace', 'retiring', 'trashed'].includes(row.state)) {
    await changeJob(tx, row, [], restPatch(row, nowMs, error), nowMs);
    if (row.attempt + 1 >= defaultRetryPolicy.attempts) await alertStuck(tx, row, record, nowMs);
    return;
  }
  if (!workingStates.includes(row.state)) return refuse(tx, nodeId, record, `"failed" is not possible in "${row.state}"`, nowMs);
  if (record.code.startsWith('source.') && row.readReplicaId !== null) await doubtSource(tx, row.readReplicaId, record.message, nowMs);
  // A copy that its own agent can not read does not count, however the check goes on.
  if (row.purpose === 'verify' && row.fromReplicaId !== null && (record.class === 'device' || record.class === 'integrity'))
    await changeReplica(tx, row.fromReplicaId, 'doubted', {}, nowMs, record.message);
  const answer = answerFailure(record, row, defaultRetryPolicy, systemRandom);
  const given = answer.event === 'give-up' ? { ...error, hint: record.hint ?? answer.hint } : error;
  const restarted =
    record.class === 'source-changed' ? await dropVersion(tx, row, nowMs) : record.class === 'space' ? await dropDestination(tx, row, nowMs) : {};
  await changeJob(
    tx,
    row,
    [answer.event],
    {
      ...restarted,
      error: given,
      attempt: row.attempt + (answer.counted ? 1 : 0),
      sourceChanges: row.sourceChanges + (record.class === 'source-changed' ? 1 : 0),
      notBeforeMs: answer.event === 'give-up' ? null : Math.ceil(nowMs + answer.delayMs),
      waitingBecause: answer.event === 'give-up' ? null : answer.waitingBecause,
    },
    nowMs,
    { class: record.class, code: record.code, nodeId },
  );
}

async function alertStuck(tx: Tx, row: JobRow, record: Report<'failed'>, nowMs: number): Promise<void> {
  await raiseAlert(tx, nowMs, {
    rule: 'job.stuck',
    subject: row.jobId,
    severity: 'warning',
    text: `${row.purpose} of ${row.datasetId} does not get on after its switch: ${record.message}`,
    ids: { jobId: row.jobId, datasetId: row.datasetId },
  });
}

/** The copy that is read has a bad leaf: it does not count until it is read back whole, and the next lease reads another. */
async function doubtSource(tx: Tx, replicaId: ReplicaId, because: string, nowMs: number): Promise<void> {
  await changeReplica(tx, replicaId, 'doubted', {}, nowMs, because);
  await insertVerifyJob(tx, replicaId, 'a leaf of it was bad when it was copied', 0, nowMs);
}

/**
 * The source of an import changed after its manifest: the version that nobody holds a verified copy of never came to be, and the source is scanned again.
 * A version that has a verified copy is never touched.
 */
async function dropVersion(tx: Tx, row: JobRow, nowMs: number): Promise<Partial<JobRow>> {
  if (row.purpose !== 'import' || row.versionId === null) return {};
  if (row.toReplicaId !== null) await abandonReplica(tx, row.toReplicaId, nowMs);
  const kept = await tx
    .select({ replicaId: replica.replicaId })
    .from(replica)
    .where(and(eq(replica.versionId, row.versionId), inArray(replica.state, ['verified', 'suspect', 'retiring', 'trashed'])));
  if (kept.length > 0) return {};
  await tx.delete(datasetVersion).where(eq(datasetVersion.versionId, row.versionId));
  await tx.delete(fileSample).where(eq(fileSample.versionId, row.versionId));
  return { versionId: null, toReplicaId: null, toTargetId: null, sizeBytes: 0, moverNodeId: row.importSource?.nodeId ?? row.moverNodeId };
}

async function refuse(tx: Tx, nodeId: NodeId, record: JobRecord, because: string, nowMs: number): Promise<void> {
  await appendEvents(tx, nowMs, [
    {
      type: 'job.report-refused',
      severity: 'info',
      text: `A report of ${nodeId} ("${record.event}") was not taken: ${because}`,
      ids: { jobId: record.jobId, nodeId, event: record.event, epoch: record.epoch },
      by: nodeId,
    },
  ]);
}

/** Keep the newest progress of a job; an older one, or one of another epoch, changes nothing. The lease goes on because its agent was heard. */
export async function applyProgress(tx: Tx, nodeId: NodeId, record: RecordOf<'progress'>): Promise<void> {
  const { step, objectsDone, objectsTotal, bytesDone, bytesTotal, bytesPerSec, atMs } = record;
  await tx
    .update(job)
    .set({ progress: { step, objectsDone, objectsTotal, bytesDone, bytesTotal, bytesPerSec, atMs } })
    .where(
      and(
        eq(job.jobId, record.jobId),
        eq(job.epoch, record.epoch),
        eq(job.active, true),
        or(eq(job.moverNodeId, nodeId), eq(job.sourceNodeId, nodeId)),
        or(isNull(job.progress), lte(sql`(${job.progress}->>'atMs')::bigint`, atMs)),
      ),
    );
}
