import type { DatasetId, JobId, NodeId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { sha256 } from '@data-in-motion/shared/protocol/fields';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { isSignedBy } from '@data-in-motion/shared/signature';
import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { jobKey } from '../jobs/job-key.ts';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { changeJob, type JobRow, lockDataset } from './job-rows.ts';
import { insertVerifyJob, nodeOfTarget } from './jobs.ts';
import { changeReplica, insertReplica } from './replicas.ts';
import { datasetVersion, job, pointer, replica, switchLog } from './schema.ts';

type Told = RecordOf<'switch-certificate'>;

const count = z.number().int().min(0);
const signedText = z.object({ body: z.string(), signature: z.string(), keyId: z.string() });
const switchBody = z.object({
  kind: z.literal('switch'),
  jobId: z.string().transform((id) => id as JobId),
  datasetId: z.string().transform((id) => id as DatasetId),
  versionId: z.string().transform((id) => id as VersionId),
  root: sha256,
  objects: count.optional(),
  bytes: count.optional(),
  replicaId: z.string().transform((id) => id as ReplicaId),
  targetId: z.string().transform((id) => id as TargetId),
  primary: z.boolean(),
  fromRev: count,
  toRev: count,
  atMs: count,
});
type Switch = z.infer<typeof switchBody>;

/**
 * Learn a switch again that the store lost, from an agent that kept its certificate: the version, the copy and the job are written where they are missing, and
 * the pointer goes to the highest revision that anybody witnessed. The copy counts once it is read back whole. What is known already changes nothing;
 * what we did not sign, or what contradicts the version that is known, is refused.
 */
export async function applySwitchCertificate(tx: Tx, nodeId: NodeId, record: Told, publicKeyPem: string, nowMs: number): Promise<void> {
  const found = readCertificate(record.certificate, publicKeyPem);
  if (found === null) return tell(tx, 'switch.certificate-refused', `A certificate that ${nodeId} showed is not one of ours`, { nodeId }, nowMs);
  const ids = { nodeId, datasetId: found.datasetId, jobId: found.jobId, replicaId: found.replicaId, rev: found.toRev };
  if (!(await lockDataset(tx, found.datasetId)))
    return tell(tx, 'switch.not-learned', `${nodeId} knows a switch of ${found.datasetId}, which is not known here`, ids, nowMs);
  const [row] = await tx.select().from(job).where(eq(job.jobId, found.jobId)).for('update');
  const home = await nodeOfTarget(tx, found.targetId);
  const witness = witnessPatch(record, nodeId === home, nowMs);
  if (row !== undefined && row.certificate !== null) {
    if (!row.active && (row.activatedAtMs === null || row.witnessedAtMs === null)) await changeJob(tx, row, [], witness, nowMs);
    return;
  }
  if (home === null || !(await learnVersion(tx, found)))
    return tell(tx, 'switch.not-learned', `A switch of ${found.datasetId} that ${nodeId} knows can not be learned again`, ids, nowMs);
  await learnCopy(tx, found, home, nowMs);
  await learnJob(tx, row, found, record, home, witness, nowMs);
  if (found.primary) await learnPointer(tx, found, record.certificate);
  await insertVerifyJob(tx, found.replicaId, 'its switch was learned again from a certificate', 0, nowMs);
  await tell(
    tx,
    'dataset.switch-learned',
    `The store had lost a switch of ${found.datasetId} (rev ${found.toRev}); ${nodeId} had kept its certificate`,
    ids,
    nowMs,
  );
}

function readCertificate(text: string, publicKeyPem: string): Switch | null {
  const json = (from: string): unknown => {
    try {
      return JSON.parse(from);
    } catch {
      return null;
    }
  };
  const signed = signedText.safeParse(json(text));
  if (!signed.success || !isSignedBy(signed.data, publicKeyPem)) return null;
  return switchBody.safeParse(json(signed.data.body)).data ?? null;
}

/** That an agent shows the certificate says that it has journaled it. */
function witnessPatch(record: Told, isHome: boolean, nowMs: number): Partial<JobRow> {
  if (record.role === 'witness') return { witnessedAtMs: nowMs };
  return isHome ? { activatedAtMs: nowMs } : {};
}

/** False when the version is lost and the certificate does not say how large it is, or when it is known with another root. */
async function learnVersion(tx: Tx, { versionId, datasetId, root, objects, bytes, jobId, atMs }: Switch): Promise<boolean> {
  const [known] = await tx.select({ root: datasetVersion.root }).from(datasetVersion).where(eq(datasetVersion.versionId, versionId));
  if (known !== undefined) return known.root === root;
  if (objects === undefined || bytes === undefined) return false;
  const made = await tx
    .insert(datasetVersion)
    .values({ versionId, datasetId, root, objects, sizeBytes: bytes, notes: ['learned again from a switch certificate'], jobId, committedAtMs: atMs })
    .onConflictDoNothing()
    .returning({ versionId: datasetVersion.versionId });
  return made.length === 1;
}

/** A copy that was being made, or is not known at all, is one to read back; any other state was reached later than the switch. */
async function learnCopy(tx: Tx, { replicaId, datasetId, versionId, targetId, root, atMs }: Switch, home: NodeId, nowMs: number): Promise<void> {
  const [known] = await tx.select({ state: replica.state }).from(replica).where(eq(replica.replicaId, replicaId));
  if (known === undefined) await insertReplica(tx, { replicaId, datasetId, versionId, targetId, why: 'learned again from a switch certificate', nowMs });
  if (known !== undefined && known.state !== 'joining') return;
  await changeReplica(tx, replicaId, 'verified', { versionId, verifiedRoot: root, verifiedAtMs: atMs, verifiedLevel: 'L2', verifiedBy: home }, nowMs);
  await changeReplica(tx, replicaId, 'doubted', {}, nowMs, 'the store had lost its switch');
}

/** A job that was still on its way there is over: what it was to let go is a surplus copy now, and the reconciler decides about it. */
async function learnJob(
  tx: Tx,
  row: JobRow | undefined,
  found: Switch,
  { certificate }: Told,
  home: NodeId,
  witness: Partial<JobRow>,
  nowMs: number,
): Promise<void> {
  const facts = { certificate, switchRev: found.toRev, switchedAtMs: found.atMs, ...witness };
  if (row !== undefined) {
    await changeJob(tx, row, row.active ? ['cancel'] : [], { ...facts, waitingBecause: 'its switch was learned again from a certificate' }, nowMs);
    return;
  }
  const { jobId, datasetId, versionId, replicaId: toReplicaId, targetId: toTargetId } = found;
  await tx.insert(job).values({
    ...{ jobId, datasetId, versionId, toReplicaId, toTargetId, ...facts },
    key: jobKey({ purpose: 'copy', versionId, toTargetId }),
    purpose: 'copy',
    state: 'done',
    active: false,
    reason: 'learned again from a switch certificate',
    moverNodeId: home,
    createdAtMs: found.atMs,
    endedAtMs: nowMs,
  });
}

/** The log is filled wherever there is a hole; the pointer only goes forward. */
async function learnPointer(tx: Tx, { jobId, datasetId, fromRev, toRev, versionId, replicaId, atMs }: Switch, certificate: string): Promise<void> {
  await tx.insert(switchLog).values({ jobId, datasetId, fromRev, toRev, versionId, replicaId, certificate, atMs }).onConflictDoNothing();
  const [held] = await tx.select({ rev: pointer.rev }).from(pointer).where(eq(pointer.datasetId, datasetId));
  if (held !== undefined && held.rev >= toRev) return;
  const next = { versionId, replicaId, rev: toRev, changedByJob: jobId, changedAtMs: atMs };
  await tx
    .insert(pointer)
    .values({ datasetId, ...next })
    .onConflictDoUpdate({ target: pointer.datasetId, set: next });
}

async function tell(tx: Tx, type: string, text: string, ids: Readonly<Record<string, string | number>>, nowMs: number): Promise<void> {
  await appendEvents(tx, nowMs, [{ type, severity: 'warning', text, ids, by: 'control-plane' }]);
}
