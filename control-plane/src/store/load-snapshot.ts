import { heatWindows, type WindowCounts } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy } from '@data-in-motion/shared/domain/policy';
import { type PriceEntry, pricesAt } from '@data-in-motion/shared/domain/price';
import { eq, sql } from 'drizzle-orm';
import { notePlaces } from '../fleet/lookup.ts';
import type { DatasetFacts, DeviceFacts, FleetSnapshot, JobFacts, NodeFacts, TargetFacts } from '../fleet/snapshot.ts';
import { keepsCopy } from './accesses.ts';
import { type Db, rowsOf, type Store, type Tx } from './database.ts';
import { DatasetFactsOfRows } from './dataset-facts.ts';
import { type AllDatasets, KeptDatasets } from './kept-datasets.ts';
import { loadHolds } from './plan-holds.ts';
import { readPrices } from './prices.ts';
import { dataset, device, globalPolicy, job, node, storeMeta, target } from './schema.ts';
import { readShadowPrices } from './shadow-prices.ts';

type JobRow = typeof job.$inferSelect;

/** The accesses of a minute are one row. */
const minuteMs = 60_000;

/** One consistent look at the fleet: what decisions read, and the rows of the datasets behind it. */
export interface Fleet {
  readonly snapshot: FleetSnapshot;
  readonly datasets: AllDatasets;
}

const keepers = new WeakMap<Store, KeptFleet>();

/** Everything decisions read, from one transaction and sorted by name: the same rows give the same snapshot. */
export async function loadSnapshot(store: Store): Promise<FleetSnapshot> {
  return (await loadFleet(store)).snapshot;
}

/** The same in a transaction that goes on to write what it decides: with what it wrote before, which is kept for nobody else, since it may be rolled back. */
export async function readSnapshot(store: Store, tx: Tx, takenAtMs: number): Promise<FleetSnapshot> {
  return (await readFleet(tx, takenAtMs, await sourceOf(tx), keeperOf(store).lent())).snapshot;
}

/** The same with the rows. Datasets that did not change are the same objects as in the look before. */
export function loadFleet(store: Store): Promise<Fleet> {
  return keeperOf(store).look();
}

function keeperOf(store: Store): KeptFleet {
  const keeper = keepers.get(store) ?? new KeptFleet(store);
  keepers.set(store, keeper);
  return keeper;
}

/** What was read stays for the next look, which then reads only what is new. One look is under way at a time; who asks meanwhile gets one that began after they asked. */
class KeptFleet {
  readonly #store: Store;
  readonly #kept: Kept = { rows: new KeptDatasets(), facts: new DatasetFactsOfRows() };
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Promise<Fleet> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  look(): Promise<Fleet> {
    this.#waiting ??= this.#last.then(() => {
      this.#waiting = undefined;
      const looked = this.#read();
      this.#last = looked.catch(() => {});
      return looked;
    });
    return this.#waiting;
  }

  /** What is kept now, for a reading of somebody else's. */
  lent(): Kept {
    return { rows: this.#kept.rows.copy(), facts: this.#kept.facts.copy() };
  }

  #read(): Promise<Fleet> {
    const store = this.#store;
    return store.transaction(async (tx) => {
      await tx.execute(sql`set transaction isolation level repeatable read`);
      return readFleet(tx, await store.nowMs(tx), await sourceOf(tx), this.#kept);
    });
  }
}

interface Kept {
  readonly rows: KeptDatasets;
  readonly facts: DatasetFactsOfRows;
}

async function readFleet(tx: Db, takenAtMs: number, source: string, kept: Kept): Promise<Fleet> {
  const [row] = await tx.select({ policy: globalPolicy.policy }).from(globalPolicy);
  const global = row?.policy ?? defaultPolicy;
  const jobRows = await tx.select().from(job).where(eq(job.active, true)).orderBy(job.jobId);
  const nodes = (await tx.select().from(node).orderBy(node.nodeId)).map(nodeFacts);
  const devices = (await tx.select().from(device).orderBy(device.deviceId)).map(deviceFacts);
  const book = await readPrices(tx);
  const targets = await loadTargets(tx, jobRows, nodes, book.entries, takenAtMs);
  const rows = await kept.rows.read(tx, source);
  const datasets = await kept.facts.of(rows, global, await loadWindows(tx, takenAtMs), await loadRates(tx));
  notePlaces(datasets, rows.at);
  const sources = nodesOfCopies(datasets, rows.at, targets, jobRows);
  const jobs = jobRows.filter(isUnderWay).map((each) => jobFacts(each, sources));
  const holds = await loadHolds(tx, takenAtMs);
  const shadowPrices = await readShadowPrices(tx);
  const snapshot = { takenAtMs, globalPolicy: global, priceRev: book.rev, nodes, devices, targets, datasets, jobs, holds, shadowPrices };
  return { snapshot, datasets: rows };
}

/** Where the copies are that jobs read: each is one of its job's dataset. */
function nodesOfCopies(
  datasets: readonly DatasetFacts[],
  at: AllDatasets['at'],
  targets: readonly TargetFacts[],
  jobs: readonly JobRow[],
): ReadonlyMap<ReplicaId, NodeId> {
  const nodeOf = new Map(targets.map((place) => [place.targetId, place.nodeId]));
  return new Map(
    jobs.flatMap(({ datasetId, readReplicaId }) => {
      if (readReplicaId === null) return [];
      const copy = datasets[at.get(datasetId) ?? -1]?.replicas.find(({ replicaId }) => replicaId === readReplicaId);
      const nodeId = copy === undefined ? undefined : nodeOf.get(copy.targetId);
      return nodeId === undefined ? [] : [[readReplicaId, nodeId] as const];
    }),
  );
}

/** Which server, started when, with which history: what is kept of another one may never have been committed on this. */
async function sourceOf(tx: Db): Promise<string> {
  const [row] = await rowsOf<{ source: string }>(
    tx,
    sql`select concat_ws(' ', pg_postmaster_start_time()::text, (select store_epoch from ${storeMeta})) as source`,
  );
  return row?.source ?? '';
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
 * a fleet in use has a hundred thousand such minutes, and reading them here took a second. Only datasets that were used since the longest window began
 * are asked for: every access that is stored is noted at its dataset in the same statement (`storeAccesses`).
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
    sql`select d.dataset_id as "datasetId", w.sums from ${dataset} d cross join lateral (
      select count(*) as minutes, jsonb_build_array(${sql.join(sums, sql`, `)}) as sums from access_aggregate a
      where a.dataset_id = d.dataset_id and a.window_start_ms >= ${nowMs - longest - minuteMs}::bigint and a.window_start_ms <= ${nowMs}::bigint
    ) w where d.last_access_at_ms >= ${nowMs - longest - minuteMs}::bigint and w.minutes > 0`,
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
