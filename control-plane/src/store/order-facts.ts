import type { DatasetId, JobId, NodeId, PermitId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { ReplicaState } from '@data-in-motion/shared/domain/replica';
import { and, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import type { OrderFacts } from '../jobs/orders.ts';
import { type AcknowledgedDevice, acknowledgedOn } from './acknowledgements.ts';
import { type Db, rowsOf } from './database.ts';
import { datasetVersion, job, node, permit, replica, target } from './schema.ts';

/** What an agent's document is made from. */
export interface NodeWork {
  readonly jobs: readonly OrderFacts[];
  readonly liveJobs: readonly JobId[];
  /** Over the names of the copies that it keeps (`watchedCopies`), in hex: there are thousands of them, and hardly ever others than the time before. */
  readonly watchedHash: string;
  readonly acknowledged: readonly AcknowledgedDevice[];
}

export interface WatchedCopy {
  readonly datasetId: DatasetId;
  readonly targetId: TargetId;
  readonly replicaId: ReplicaId;
}

type Placed = { replicaId: ReplicaId; targetId: TargetId; nodeId: NodeId; transferUrl: string | null; state: ReplicaState };

/** All that one agent is part of, see `worksOf`. */
export async function workOf(db: Db, nodeId: NodeId, nowMs: number): Promise<NodeWork> {
  return (await worksOf(db, [nodeId], nowMs)).get(nodeId)!;
}

/**
 * All that each of these agents is part of: jobs in which it reads, writes or lets go, the copies it keeps, and what a person said of its drives. Sorted, so that the same state gives the
 * same document; the queries are as many for a hundred agents as for one.
 */
export async function worksOf(db: Db, nodeIds: readonly NodeId[], nowMs: number): Promise<Map<NodeId, NodeWork>> {
  if (nodeIds.length === 0) return new Map();
  const rows = await db
    .select()
    .from(job)
    .where(and(eq(job.active, true), or(inArray(job.moverNodeId, [...nodeIds]), inArray(job.sourceNodeId, [...nodeIds]))))
    .orderBy(job.jobId);
  const facts = await factsOf(db, rows, nowMs);
  const acknowledged = await acknowledgedOn(db, nodeIds);
  const watchedOn = await watchedHashes(db, nodeIds);
  return new Map(
    nodeIds.map((nodeId) => {
      const mine = rows.flatMap((row, i) => (row.moverNodeId === nodeId || row.sourceNodeId === nodeId ? [facts[i]!] : []));
      return [
        nodeId,
        { jobs: mine, liveJobs: mine.map((one) => one.jobId), watchedHash: watchedOn.get(nodeId)!, acknowledged: acknowledged.get(nodeId) ?? [] },
      ];
    }),
  );
}

/** The limit of the message; what does not fit is not watched. */
const mostWatched = 5_000;
const watchedOn = (nodeId: SQL): SQL =>
  sql`select ${replica.datasetId} as "datasetId", ${replica.targetId} as "targetId", ${replica.replicaId} as "replicaId"
    from ${replica} join ${target} on ${target.targetId} = ${replica.targetId}
    where ${target.nodeId} = ${nodeId} and ${inArray(replica.state, ['verified', 'suspect'])} order by ${replica.replicaId} limit ${mostWatched}`;

/** The copies that an agent keeps, by name. */
export function watchedCopies(db: Db, nodeId: NodeId): Promise<WatchedCopy[]> {
  return rowsOf<WatchedCopy>(db, watchedOn(sql`${nodeId}`));
}

/** Made where the copies are: to bring hundreds of thousands of names here with every pass took as long as all else of it, and nobody was answered meanwhile. */
async function watchedHashes(db: Db, nodeIds: readonly NodeId[]): Promise<ReadonlyMap<NodeId, string>> {
  const named = sql`concat_ws(' ', copy."datasetId", copy."targetId", copy."replicaId")`;
  const rows = await rowsOf<{ nodeId: NodeId; hash: string }>(
    db,
    sql`select n.node_id as "nodeId", w.hash from jsonb_array_elements_text(${JSON.stringify(nodeIds)}::text::jsonb) as n(node_id) cross join lateral (
      select encode(sha256(convert_to(coalesce(string_agg(${named}, ',' order by copy."replicaId"), ''), 'UTF8')), 'hex') as hash
      from (${watchedOn(sql`n.node_id`)}) as copy) w`,
  );
  return new Map(rows.map(({ nodeId, hash }) => [nodeId, hash]));
}

async function factsOf(db: Db, rows: readonly (typeof job.$inferSelect)[], nowMs: number): Promise<OrderFacts[]> {
  const versions = await versionsOf(
    db,
    rows.flatMap((row) => row.versionId ?? []),
  );
  const places = await placesOf(
    db,
    rows.flatMap((row) => [row.fromReplicaId ?? [], row.toReplicaId ?? [], row.readReplicaId ?? []].flat()),
  );
  const permits = await permitsOf(
    db,
    rows.map((row) => row.jobId),
  );
  const urls = await transferUrls(
    db,
    rows.flatMap((row) => row.importSource?.nodeId ?? []),
  );
  return rows.map((row): OrderFacts => {
    const { jobId, purpose, state, epoch, datasetId } = row;
    // A permit is offered for as long as somebody looks after its guards: not by a store that nobody has looked at since it was opened again.
    const granted = row.leaseExpiresAtMs !== null && row.leaseExpiresAtMs > nowMs ? permits.get(jobId) : undefined;
    const from = row.fromReplicaId === null ? undefined : places.get(row.fromReplicaId);
    return {
      jobId,
      purpose,
      state,
      epoch,
      datasetId,
      version: row.versionId === null ? null : (versions.get(row.versionId) ?? null),
      import:
        row.importSource === null
          ? null
          : { nodeId: row.importSource.nodeId, transferUrl: urls.get(row.importSource.nodeId) ?? null, source: row.importSource.source },
      from: from ?? null,
      to: row.toReplicaId === null ? null : (places.get(row.toReplicaId) ?? null),
      read: row.readReplicaId === null ? null : (places.get(row.readReplicaId) ?? null),
      switched: row.certificate === null || row.switchRev === null ? null : { rev: row.switchRev, certificate: row.certificate },
      activated: row.activatedAtMs !== null,
      witnessed: row.witnessedAtMs !== null,
      rechecked: row.recheckedAtMs !== null,
      fromIsBad: row.purpose === 'retire' && row.need === 'replace-bad-copy',
      neverCounted: from?.state === 'abandoned',
      permit: granted === undefined ? null : { permitId: granted.permitId as PermitId, kind: granted.kind },
      resting: row.notBeforeMs !== null && row.notBeforeMs > nowMs,
    };
  });
}

async function versionsOf(db: Db, ids: readonly (typeof datasetVersion.$inferSelect)['versionId'][]) {
  if (ids.length === 0) return new Map<string, typeof datasetVersion.$inferSelect>();
  const rows = await db
    .select()
    .from(datasetVersion)
    .where(inArray(datasetVersion.versionId, [...new Set(ids)]));
  return new Map(rows.map((row) => [row.versionId as string, row]));
}

async function placesOf(db: Db, ids: readonly ReplicaId[]): Promise<Map<ReplicaId, Placed>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ replicaId: replica.replicaId, targetId: replica.targetId, nodeId: target.nodeId, transferUrl: node.transferUrl, state: replica.state })
    .from(replica)
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .innerJoin(node, eq(node.nodeId, target.nodeId))
    .where(inArray(replica.replicaId, [...new Set(ids)]));
  return new Map(rows.map((row) => [row.replicaId, row]));
}

async function permitsOf(db: Db, ids: readonly JobId[]) {
  if (ids.length === 0) return new Map<JobId, typeof permit.$inferSelect>();
  const rows = await db
    .select()
    .from(permit)
    .where(and(inArray(permit.jobId, [...ids]), isNull(permit.usedAtMs)));
  return new Map(rows.map((row) => [row.jobId, row]));
}

async function transferUrls(db: Db, ids: readonly NodeId[]): Promise<Map<NodeId, string | null>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ nodeId: node.nodeId, url: node.transferUrl })
    .from(node)
    .where(inArray(node.nodeId, [...new Set(ids)]));
  return new Map(rows.map((row) => [row.nodeId, row.url]));
}
