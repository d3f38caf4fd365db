import type { JobId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { type SigningKey, signBody } from '@data-in-motion/shared/signature';
import { and, eq } from 'drizzle-orm';
import { isPromotion } from '../jobs/advance.ts';
import { type CopyFacts, type Guards, type PointerFacts, protocolGuards, type SwitchFacts } from '../jobs/guards.ts';
import { endAlert, raiseAlert } from './alerts.ts';
import { copiesOf } from './copies.ts';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { changeJob, type JobRow, lockJob } from './job-rows.ts';
import { dataset, datasetVersion, pointer, switchLog } from './schema.ts';

type VersionRow = typeof datasetVersion.$inferSelect;

export type SwitchOutcome = 'switched' | 'not-ready' | 'conflict' | 'not-wanted' | 'cancelled';

/**
 * T8: count on a verified copy and, where the job says so, send readers to it: one compare-and-set of the pointer with its log and certificate.
 * A compare-and-set that is lost changes nothing but the job's expectation; the caller comes again.
 */
export async function switchJob(tx: Tx, jobId: JobId, key: SigningKey, nowMs: number, guards: Guards = protocolGuards): Promise<SwitchOutcome> {
  const row = await lockJob(tx, jobId);
  if (row === undefined || row.state !== 'verified' || row.versionId === null || row.toReplicaId === null) return 'not-ready';
  const [version] = await tx.select().from(datasetVersion).where(eq(datasetVersion.versionId, row.versionId));
  const [held] = await tx.select().from(pointer).where(eq(pointer.datasetId, row.datasetId));
  const { copies } = await copiesOf(tx, row.datasetId);
  const arriving = copies.find((copy) => copy.replicaId === row.toReplicaId);
  if (version === undefined || arriving === undefined) return end(tx, row, 'cancel', 'the new copy is not there any more', nowMs);
  // Versions are named in the order in which they were committed: an import that was tried again late does not take readers back.
  if (held !== undefined && (row.purpose === 'import' ? held.versionId > row.versionId : held.versionId !== row.versionId))
    return end(tx, row, 'finish', 'a newer version took its place', nowMs);

  const facts: SwitchFacts = { arriving, root: version.root, expectedRev: row.expectedPointerRev ?? 0, pointer: held ?? null };
  const bad = guards.switchToVerified(facts);
  if (bad !== null) return end(tx, row, 'cancel', bad, nowMs);
  if (!takesPointer(row, held ?? null, copies)) return join(tx, row, facts, version, key, nowMs);

  if (guards.cas(facts) !== null) return lost(tx, row, held?.rev ?? 0, nowMs);
  const toRev = facts.expectedRev + 1;
  if (!(await compareAndSet(tx, row, facts.expectedRev, toRev, nowMs))) return lost(tx, row, held?.rev ?? 0, nowMs);
  const certificate = switchCertificate(row, facts, version, { rev: toRev, primary: true }, key, nowMs);
  await tx.insert(switchLog).values({
    jobId,
    datasetId: row.datasetId,
    fromRev: facts.expectedRev,
    toRev,
    versionId: row.versionId,
    replicaId: row.toReplicaId,
    certificate,
    atMs: nowMs,
  });
  await changeJob(tx, row, ['switch'], { certificate, switchRev: toRev, switchedAtMs: nowMs, waitingBecause: null }, nowMs, { rev: toRev });
  if (row.purpose !== 'import') await tx.update(dataset).set({ lastMovedAtMs: nowMs }).where(eq(dataset.datasetId, row.datasetId));
  await tellWhole(tx, row, version, nowMs);
  await appendEvents(tx, nowMs, [
    {
      type: 'dataset.pointer-moved',
      severity: 'info',
      text: `${row.datasetId} is now read from ${arriving.targetId}`,
      ids: { datasetId: row.datasetId, jobId, replicaId: row.toReplicaId, targetId: arriving.targetId, versionId: row.versionId, rev: toRev },
      by: 'control-plane',
    },
  ]);
  return 'switched';
}

/** An open alert for as long as readers are sent to a version that files are missing from: that is why older copies stay. */
async function tellWhole(tx: Tx, { datasetId }: JobRow, { unreadable, versionId }: VersionRow, nowMs: number): Promise<void> {
  const rule = 'dataset.not-whole';
  if (unreadable === 0) return endAlert(tx, nowMs, rule, datasetId);
  const text = `${unreadable} ${unreadable === 1 ? 'file' : 'files'} of ${datasetId} could not be read when its present version was imported: older copies stay until a whole version is imported`;
  await raiseAlert(tx, nowMs, { rule, subject: datasetId, severity: 'warning', text, ids: { datasetId, versionId, unreadable } });
}

/** An import always, and a promotion that was planned for readers; a move when the primary is what it moves; a copy when there is no good primary to stand behind. */
function takesPointer(row: JobRow, held: PointerFacts | null, copies: readonly CopyFacts[]): boolean {
  if (held === null || row.purpose === 'import' || (isPromotion(row) && row.need === 'replace-bad-copy')) return true;
  if (row.purpose === 'move' && held.replicaId === row.fromReplicaId) return true;
  return copies.find((copy) => copy.replicaId === held.replicaId)?.state !== 'verified';
}

/** The copy joins the others; readers stay where they are. */
async function join(tx: Tx, row: JobRow, facts: SwitchFacts, version: VersionRow, key: SigningKey, nowMs: number): Promise<SwitchOutcome> {
  const rev = facts.pointer?.rev ?? 0;
  const certificate = switchCertificate(row, facts, version, { rev, primary: false }, key, nowMs);
  await changeJob(tx, row, ['switch'], { certificate, switchRev: rev, switchedAtMs: nowMs, waitingBecause: null }, nowMs, { rev });
  return 'switched';
}

async function compareAndSet(tx: Tx, row: JobRow, fromRev: number, toRev: number, nowMs: number): Promise<boolean> {
  const next = { versionId: row.versionId!, replicaId: row.toReplicaId as ReplicaId, rev: toRev, changedByJob: row.jobId, changedAtMs: nowMs };
  const rows =
    fromRev === 0
      ? await tx
          .insert(pointer)
          .values({ datasetId: row.datasetId, ...next })
          .onConflictDoNothing()
          .returning({ rev: pointer.rev })
      : await tx
          .update(pointer)
          .set(next)
          .where(and(eq(pointer.datasetId, row.datasetId), eq(pointer.rev, fromRev)))
          .returning({ rev: pointer.rev });
  return rows.length === 1;
}

/** Somebody else moved the pointer first: count it, look again with what is true now. */
async function lost(tx: Tx, row: JobRow, currentRev: number, nowMs: number): Promise<SwitchOutcome> {
  await changeJob(tx, row, [], { expectedPointerRev: currentRev }, nowMs);
  await appendEvents(tx, nowMs, [
    {
      type: 'sync_conflict',
      severity: 'warning',
      text: `${row.datasetId}: the pointer had moved before the ${row.purpose} could switch; it is tried again`,
      ids: { datasetId: row.datasetId, jobId: row.jobId, rev: currentRev },
      by: 'control-plane',
    },
  ]);
  return 'conflict';
}

async function end(tx: Tx, row: JobRow, event: 'cancel' | 'finish', because: string, nowMs: number): Promise<SwitchOutcome> {
  await changeJob(tx, row, [event], { waitingBecause: because }, nowMs);
  return event === 'cancel' ? 'cancelled' : 'not-wanted';
}

/** What both agents keep, so that a switch which the store lost can be learned from them again. JSON text of a `Signed`. */
function switchCertificate(
  row: JobRow,
  facts: SwitchFacts,
  version: VersionRow,
  { rev, primary }: { rev: number; primary: boolean },
  key: SigningKey,
  nowMs: number,
): string {
  const body = {
    v: 1,
    kind: 'switch',
    jobId: row.jobId,
    datasetId: row.datasetId,
    versionId: row.versionId,
    root: facts.root,
    objects: version.objects,
    bytes: version.sizeBytes,
    replicaId: row.toReplicaId,
    targetId: facts.arriving.targetId,
    replaces: facts.pointer?.replicaId ?? null,
    primary,
    fromRev: facts.pointer?.rev ?? 0,
    toRev: rev,
    atMs: nowMs,
  };
  return JSON.stringify(signBody(JSON.stringify(body), key));
}
