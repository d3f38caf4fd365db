import { heatWindows, type WindowCounts } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy, effectivePolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { type PriceEntry, pricesAt } from '@data-in-motion/shared/domain/price';
import { eq, notInArray, sql } from 'drizzle-orm';
import type { DatasetFacts, DeviceFacts, FleetSnapshot, JobFacts, NodeFacts, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import { keepsCopy } from './accesses.ts';
import { type Db, rowsOf, type Store, type Tx } from './database.ts';
import { loadHolds } from './plan-holds.ts';
import { readPrices } from './prices.ts';
import { dataset, datasetVersion, device, globalPolicy, job, node, pointer, replica, target } from './schema.ts';

type JobRow = typeof job.$inferSelect;

/** The accesses of a minute are one row. */
const minuteMs = 60_000;

/** Everything decisions read, from one transaction and sorted by name: the same rows give the same snapshot. */
export async function loadSnapshot(store: Store): Promise<FleetSnapshot> {
  return store.transaction(async (tx) => readSnapshot(tx, await store.nowMs(tx)));
}

/** The same in a transaction that goes on to write what it decides. */
export async function readSnapshot(tx: Tx, takenAtMs: number): Promise<FleetSnapshot> {
  const [row] = await tx.select({ policy: globalPolicy.policy }).from(globalPolicy);
  const global = row?.policy ?? defaultPolicy;
  const jobRows = await tx.select().from(job).where(eq(job.active, true)).orderBy(job.jobId);
  const nodes = (await tx.select().from(node).orderBy(node.nodeId)).map(nodeFacts);
  const devices = (await tx.select().from(device).orderBy(device.deviceId)).map(deviceFacts);
  const book = await readPrices(tx);
  const targets = await loadTargets(tx, jobRows, nodes, book.entries, takenAtMs);
  const datasets = await loadDatasets(tx, global, takenAtMs);
  const sources = nodesOfCopies(datasets, targets);
  const jobs = jobRows.filter(isUnderWay).map((each) => jobFacts(each, sources));
  return { takenAtMs, globalPolicy: global, priceRev: book.rev, nodes, devices, targets, datasets, jobs, holds: await loadHolds(tx, takenAtMs) };
}

function nodesOfCopies(datasets: readonly DatasetFacts[], targets: readonly TargetFacts[]): ReadonlyMap<ReplicaId, NodeId> {
  const nodeOf = new Map(targets.map((place) => [place.targetId, place.nodeId]));
  return new Map(
    datasets.flatMap(({ replicas }) => replicas.flatMap((copy) => (nodeOf.has(copy.targetId) ? [[copy.replicaId, nodeOf.get(copy.targetId)!]] : []))),
  );
}

/** What only waits for the trash time needs no attention of decisions: its copy does not count and its place is promised to nobody. */
function isUnderWay(row: JobRow): boolean {
  return row.state !== 'trashed' && row.state !== 'purged';
}

function nodeFacts(row: typeof node.$inferSelect): NodeFacts {
  const { nodeId, siteId, agentState, lastHeardAtMs, incarnation } = row;
  return { nodeId, siteId, agentState, lastHeardAtMs, incarnation };
}

function deviceFacts(row: typeof device.$inferSelect): DeviceFacts {
  const { deviceId, nodeId, level, levelSinceMs, probability, horizonDays, assessedAtMs, judgeSinceMs, evacuatingSinceMs } = row;
  return {
    deviceId,
    nodeId,
    level,
    levelSinceMs,
    probability,
    horizonDays,
    assessedAtMs,
    judge: row.judge === null ? '' : `${row.judge.name} ${row.judge.version}`,
    judgeKind: row.judge?.kind ?? 'rule',
    judgeSinceMs,
    saysItFails: row.level === 'failing' && row.reasons.some((reason) => reason.attribute === 'self-assessment' && reason.value === 0),
    evacuatingSinceMs,
    reasons: row.reasons.map((reason) => reason.text),
  };
}

/** Bytes come from the copy that is read, which need not be the one that is replaced. */
function jobFacts(row: JobRow, nodeOfCopy: ReadonlyMap<ReplicaId, NodeId>): JobFacts {
  const { jobId, key, datasetId, purpose, state, fromReplicaId, fromTargetId, toReplicaId, toTargetId, moverNodeId, sizeBytes } = row;
  const sourceNodeId = (row.readReplicaId === null ? undefined : nodeOfCopy.get(row.readReplicaId)) ?? row.sourceNodeId;
  return { jobId, key, datasetId, purpose, state, fromReplicaId, fromTargetId, toReplicaId, toTargetId, moverNodeId, sourceNodeId, sizeBytes };
}

async function loadTargets(db: Db, jobs: readonly JobRow[], nodes: readonly NodeFacts[], book: readonly PriceEntry[], nowMs: number): Promise<TargetFacts[]> {
  const sites = new Map(nodes.map((row) => [row.nodeId, row.siteId]));
  const reserved = reservations(jobs);
  const rows = await db.select().from(target).orderBy(target.targetId);
  return rows.flatMap((row): TargetFacts[] => {
    const siteId = sites.get(row.nodeId);
    if (siteId === undefined) return [];
    const { tier, locationKind, provider, region, failureDomain, encryptedAtRest, priceClass, reserveBytes, deviceIds, capacityBytes } = row.description;
    // What the operator declares is the upper bound; the file system may have less.
    const capacity = capacityBytes === null ? row.capacityBytes : row.capacityBytes === 0 ? capacityBytes : Math.min(capacityBytes, row.capacityBytes);
    return [
      {
        targetId: row.targetId,
        nodeId: row.nodeId,
        siteId,
        state: row.reachable ? row.state : 'lost',
        tier,
        locationKind,
        provider,
        region,
        failureDomain,
        encryptedAtRest,
        priceClass,
        prices: pricesAt(book, priceClass, nowMs) ?? null,
        capacityBytes: capacity,
        usedBytes: row.usedBytes,
        reserveBytes,
        reservedBytes: reserved.get(row.targetId) ?? 0,
        latencyP95Ms: row.latencyP95Ms,
        readBytesPerSec: row.readBytesPerSec,
        writeBytesPerSec: row.writeBytesPerSec,
        requestsPerSec: row.description.requestsPerSec ?? null,
        deviceIds,
      },
    ];
  });
}

/** Room that is promised: all of a copy until it is verified, since the last measurement may be older than its first byte. */
function reservations(jobs: readonly JobRow[]): Map<TargetId, number> {
  const promised = new Map<TargetId, number>();
  for (const row of jobs) {
    if (
      row.toTargetId === null ||
      row.toReplicaId === row.fromReplicaId ||
      ['verified', 'switched', 'grace', 'retiring', 'trashed', 'purged'].includes(row.state)
    )
      continue;
    promised.set(row.toTargetId, (promised.get(row.toTargetId) ?? 0) + row.sizeBytes);
  }
  return promised;
}

async function loadDatasets(db: Db, global: Policy, nowMs: number): Promise<DatasetFacts[]> {
  const rows = await db.select().from(dataset).orderBy(dataset.datasetId);
  const pointers = new Map((await db.select().from(pointer)).map((row) => [row.datasetId, row]));
  const versions = new Map(
    (await db.select({ version: datasetVersion }).from(datasetVersion).innerJoin(pointer, eq(pointer.versionId, datasetVersion.versionId))).map(
      ({ version }) => [version.versionId, version],
    ),
  );
  const replicas = await loadReplicas(db);
  const windows = await loadWindows(db, nowMs);
  const rates = await loadRates(db);
  return rows.map((row) => {
    const held = pointers.get(row.datasetId);
    const version = held === undefined ? undefined : versions.get(held.versionId);
    return {
      datasetId: row.datasetId,
      owner: row.owner,
      rev: row.rev,
      policy: effectivePolicy(global, row.ownPolicy),
      versionId: held?.versionId ?? null,
      versionMadeAtMs: version?.committedAtMs ?? null,
      objects: version?.objects ?? 0,
      sizeBytes: version?.sizeBytes ?? 0,
      unreadable: version?.unreadable ?? 0,
      primaryReplicaId: held?.replicaId ?? null,
      pointerRev: held?.rev ?? 0,
      replicas: replicas.get(row.datasetId) ?? [],
      windows: windows.get(row.datasetId) ?? noAccesses(),
      lastAccessAtMs: row.lastAccessAtMs,
      ewmaPerHour: rates.get(row.datasetId) ?? 0,
      heatClass: row.heat?.class ?? null,
      heatDecidedAtMs: row.heat?.decidedAtMs ?? null,
      lastMovedAtMs: row.lastMovedAtMs,
      createdAtMs: row.createdAtMs,
    };
  });
}

async function loadReplicas(db: Db): Promise<Map<DatasetId, ReplicaFacts[]>> {
  const rows = await db
    .select()
    .from(replica)
    .where(notInArray(replica.state, ['purged', 'abandoned']))
    .orderBy(replica.replicaId);
  const byDataset = new Map<DatasetId, ReplicaFacts[]>();
  for (const row of rows) {
    // An import's copy has no version until its manifest is committed; until then there is nothing to decide about it.
    if (row.versionId === null) continue;
    const { replicaId, versionId, targetId, state, verifiedAtMs, createdAtMs } = row;
    const list = byDataset.get(row.datasetId);
    const facts = { replicaId, versionId, targetId, state, verifiedAtMs, createdAtMs };
    if (list === undefined) byDataset.set(row.datasetId, [facts]);
    else list.push(facts);
  }
  return byDataset;
}

function noAccesses(): WindowCounts[] {
  return heatWindows.map(({ name }) => ({ window: name, reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 }));
}

/** Accesses per hour: the sum of what the agents told last, of those that have a copy now. */
async function loadRates(db: Db): Promise<Map<DatasetId, number>> {
  const rows = await rowsOf<{ datasetId: DatasetId; perHour: number }>(
    db,
    sql`select r.dataset_id as "datasetId", sum(r.per_hour) as "perHour" from access_rate r where ${keepsCopy} group by 1`,
  );
  return new Map(rows.map((row) => [row.datasetId, row.perHour]));
}

/**
 * Sums of the minutes that lie in each window; a minute counts by its end. Added up by the database, dataset by dataset along the primary key:
 * a fleet in use has a hundred thousand such minutes, and reading them here took a second.
 */
async function loadWindows(db: Db, nowMs: number): Promise<Map<DatasetId, WindowCounts[]>> {
  const longest = Math.max(...heatWindows.map(({ ms }) => ms));
  const sums = heatWindows.flatMap(({ ms }) =>
    ['reads', 'writes', 'read_bytes', 'written_bytes'].map(
      (column) => sql`coalesce(sum(${sql.raw(column)}) filter (where window_end_ms >= ${nowMs - ms}::bigint), 0)::float8`,
    ),
  );
  const rows = await rowsOf<{ datasetId: DatasetId; sums: number[] }>(
    db,
    sql`select d.dataset_id as "datasetId", w.sums from dataset d cross join lateral (
      select count(*) as minutes, jsonb_build_array(${sql.join(sums, sql`, `)}) as sums from access_aggregate a
      where a.dataset_id = d.dataset_id and a.window_start_ms >= ${nowMs - longest - minuteMs}::bigint and a.window_start_ms <= ${nowMs}::bigint
    ) w where w.minutes > 0`,
  );
  return new Map(
    rows.map((row) => [
      row.datasetId,
      heatWindows.map(({ name }, i) => {
        const [reads, writes, readBytes, writtenBytes] = row.sums.slice(i * 4) as [number, number, number, number];
        return { window: name, reads, writes, readBytes, writtenBytes };
      }),
    ]),
  );
}
