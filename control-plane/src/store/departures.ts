import type { CertificateBody } from '@data-in-motion/shared/api/operations';
import type { NodeId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { and, eq, gte, inArray, isNotNull, isNull, lte, or } from 'drizzle-orm';
import type { Tx } from './database.ts';
import type { JobRow } from './job-rows.ts';
import { datasetVersion, job, jobTransition, permit, replica, target } from './schema.ts';

type Departure = CertificateBody['replicas'][number];
type Place = Departure['to'];

/**
 * The copies that left these targets since `sinceMs`, or are about to, oldest job first: by a move once its new copy is counted on, even one that began before,
 * or because enough others exist once that was permitted. A copy that one job kept and another let go is told by the later.
 */
export async function departures(tx: Tx, targetIds: readonly TargetId[], sinceMs: number): Promise<Departure[]> {
  if (targetIds.length === 0) return [];
  const rows = await tx
    .select()
    .from(job)
    .where(
      and(
        inArray(job.purpose, ['move', 'retire']),
        inArray(job.fromTargetId, [...targetIds]),
        or(eq(job.active, true), gte(job.endedAtMs, sinceMs)),
        or(isNull(job.trashedAtMs), gte(job.trashedAtMs, sinceMs)),
      ),
    )
    .orderBy(job.jobId);
  const told = new Map<string, Departure>();
  for (const row of rows) {
    const one = row.purpose === 'move' ? await moved(tx, row) : await surplus(tx, row, targetIds);
    if (one === null) continue;
    told.delete(one.from.replicaId);
    told.set(one.from.replicaId, one);
  }
  return [...told.values()];
}

/** A copy whose place another took. */
async function moved(tx: Tx, row: JobRow): Promise<Departure | null> {
  if (row.switchedAtMs === null || row.toReplicaId === null || row.toTargetId === null) return null;
  const verifiedAtMs = row.recheckedAtMs ?? (await lastMatch(tx, [row.jobId], null));
  const to = { replicaId: row.toReplicaId, targetId: row.toTargetId, nodeId: row.moverNodeId };
  return verifiedAtMs === null ? null : departure(tx, row, to, { verifiedAtMs, switchedAtMs: row.switchedAtMs });
}

/** A copy that left because others stay: the permit names them. A stale one left for copies of a newer version, so that version is named. */
async function surplus(tx: Tx, row: JobRow, targetIds: readonly TargetId[]): Promise<Departure | null> {
  const [granted] = await tx
    .select()
    .from(permit)
    .where(and(eq(permit.jobId, row.jobId), eq(permit.kind, 'retire')));
  if (granted === undefined) return null;
  const others = (await placesOf(tx, granted.dependsOn)).filter((place) => !targetIds.includes(place.targetId as TargetId));
  for (const to of others) {
    const makers = await tx
      .select()
      .from(job)
      .where(and(eq(job.toReplicaId, to.replicaId as ReplicaId), isNotNull(job.switchedAtMs), lte(job.switchedAtMs, granted.grantedAtMs)));
    const switchedAtMs = Math.max(...makers.map((maker) => maker.switchedAtMs!));
    const verifiedAtMs = await readBackBefore(tx, to.replicaId as ReplicaId, granted.grantedAtMs);
    if (verifiedAtMs === null || makers.length === 0) continue;
    const one = await departure(tx, row, to, { verifiedAtMs, switchedAtMs });
    return one === null ? null : { ...one, others, leftBecause: row.reason };
  }
  return null;
}

async function departure(tx: Tx, row: JobRow, to: Place, at: { verifiedAtMs: number; switchedAtMs: number }): Promise<Departure | null> {
  if (row.fromReplicaId === null || row.fromTargetId === null) return null;
  const [copy] = await tx
    .select()
    .from(replica)
    .where(eq(replica.replicaId, to.replicaId as ReplicaId));
  const [version] = await tx
    .select()
    .from(datasetVersion)
    .where(eq(datasetVersion.versionId, copy?.versionId as VersionId));
  if (version === undefined || copy?.verifiedRoot == null) return null;
  return {
    datasetId: row.datasetId,
    versionId: version.versionId,
    root: version.root,
    objects: version.objects,
    bytes: version.sizeBytes,
    from: { replicaId: row.fromReplicaId, targetId: row.fromTargetId, nodeId: row.sourceNodeId ?? '' },
    to,
    verifiedRoot: copy.verifiedRoot,
    ...at,
    retiredAtMs: row.trashedAtMs,
    keptBecause: row.trashedAtMs === null && !row.active ? (row.waitingBecause ?? row.state) : null,
  };
}

/** When a copy was last found equal to its manifest before a moment: by the job that made it, or by one that read it again. The copy's row only knows the latest time. */
async function readBackBefore(tx: Tx, replicaId: ReplicaId, beforeMs: number): Promise<number | null> {
  const rows = await tx
    .select({ jobId: job.jobId, recheckedAtMs: job.recheckedAtMs })
    .from(job)
    .where(or(eq(job.toReplicaId, replicaId), and(eq(job.fromReplicaId, replicaId), eq(job.purpose, 'verify'))));
  const matched = await lastMatch(
    tx,
    rows.map((row) => row.jobId),
    beforeMs,
  );
  const times = [matched, ...rows.map((row) => row.recheckedAtMs)].filter((atMs) => atMs !== null && atMs <= beforeMs) as number[];
  return times.length === 0 ? null : Math.max(...times);
}

async function lastMatch(tx: Tx, jobIds: readonly JobRow['jobId'][], beforeMs: number | null): Promise<number | null> {
  if (jobIds.length === 0) return null;
  const rows = await tx
    .select({ atMs: jobTransition.atMs })
    .from(jobTransition)
    .where(
      and(inArray(jobTransition.jobId, [...jobIds]), eq(jobTransition.event, 'matched'), beforeMs === null ? undefined : lte(jobTransition.atMs, beforeMs)),
    );
  return rows.length === 0 ? null : Math.max(...rows.map((row) => row.atMs));
}

async function placesOf(tx: Tx, replicaIds: readonly ReplicaId[]): Promise<Place[]> {
  if (replicaIds.length === 0) return [];
  const rows: { replicaId: ReplicaId; targetId: TargetId; nodeId: NodeId }[] = await tx
    .select({ replicaId: replica.replicaId, targetId: replica.targetId, nodeId: target.nodeId })
    .from(replica)
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .where(inArray(replica.replicaId, [...replicaIds]))
    .orderBy(replica.replicaId);
  return rows;
}
