import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { effectivePolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { type PriceEntry, pricesAt } from '@data-in-motion/shared/domain/price';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import type { DatasetFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { heardStates } from '../health/agents.ts';
import type { Store } from '../store/database.ts';
import { loadSnapshot } from '../store/load-snapshot.ts';
import { fleetPlan, type StoredPlan } from '../store/plans.ts';
import { readGlobalPolicy } from '../store/policies.ts';
import { readPrices } from '../store/prices.ts';
import { alert, dataset, datasetVersion, device, deviceAcknowledgement, job, node, pointer, replica, target } from '../store/schema.ts';

type Row<Table extends { $inferSelect: unknown }> = Table['$inferSelect'];

/** All rows that the pages of the fleet are made of, read together; the snapshot is the one that decisions would read now. */
export interface FleetRows {
  readonly asOfMs: number;
  readonly snapshot: FleetSnapshot;
  readonly policy: { readonly rev: number; readonly policy: Policy };
  readonly priceBook: readonly PriceEntry[];
  readonly nodes: readonly Row<typeof node>[];
  readonly devices: readonly Row<typeof device>[];
  readonly acknowledgements: ReadonlyMap<string, Row<typeof deviceAcknowledgement>>;
  readonly targets: readonly Row<typeof target>[];
  readonly datasets: readonly Row<typeof dataset>[];
  readonly versions: readonly Row<typeof datasetVersion>[];
  readonly pointers: ReadonlyMap<string, Row<typeof pointer>>;
  readonly replicas: readonly Row<typeof replica>[];
  readonly activeJobs: readonly Row<typeof job>[];
  /** The current plan of the whole fleet; null before the first. */
  readonly plan: StoredPlan | null;
  /** Datasets whose policy the newest plan of the fleet could not meet, with the cheapest way out. */
  readonly infeasible: ReadonlyMap<string, { readonly rules: readonly string[]; readonly cheapestWayOut: string }>;
  /** Since when each of them is told. */
  readonly infeasibleSinceMs: ReadonlyMap<string, number>;
  readonly heats: ReadonlyMap<DatasetId, Heat>;
  readonly facts: ReadonlyMap<string, DatasetFacts>;
  readonly targetFacts: ReadonlyMap<string, TargetFacts>;
  /** Why a target can not be reached, in its agent's words. */
  readonly unreachable: ReadonlyMap<string, string>;
}

interface Look {
  readonly beganAtMs: number;
  isStale: boolean;
  readonly rows: Promise<FleetRows>;
}

/** Several requests of one page load share one look at the database. */
const freshForMs = 250;

export class FleetReader {
  readonly #store: Store;
  #look: Look | undefined;
  #isLooking = false;
  #waiting: Promise<FleetRows> | undefined;

  constructor(store: Store) {
    this.#store = store;
    // Whoever has read that something happened must not be shown the rows from before it.
    store.signals.on('events', () => this.forget());
  }

  /** The rows, at most a quarter of a second old. One look is under way at a time; who needs a later one waits for it together with all others who do. */
  read(): Promise<FleetRows> {
    const look = this.#look;
    if (look === undefined) return this.#begin();
    if (!look.isStale && performance.now() - look.beganAtMs <= freshForMs) return look.rows;
    if (!this.#isLooking) return this.#begin();
    const begin = (): Promise<FleetRows> => {
      this.#waiting = undefined;
      return this.#begin();
    };
    this.#waiting ??= look.rows.then(begin, begin);
    return this.#waiting;
  }

  /** After a change: what began before it is not enough for the next read. */
  forget(): void {
    if (this.#look !== undefined) this.#look.isStale = true;
  }

  #begin(): Promise<FleetRows> {
    const rows = readRows(this.#store);
    const look = { beganAtMs: performance.now(), isStale: false, rows };
    this.#look = look;
    this.#isLooking = true;
    rows.then(
      () => (this.#isLooking = false),
      () => {
        this.#isLooking = false;
        look.isStale = true;
      },
    );
    return rows;
  }
}

async function readRows(store: Store): Promise<FleetRows> {
  const db = store.db;
  const snapshot = await loadSnapshot(store);
  const [policy, prices, nodes, devices, acknowledgements, targets, datasets, versions, pointers, replicas, activeJobs, newest, alerts] = await Promise.all([
    readGlobalPolicy(db),
    readPrices(db),
    db.select().from(node).orderBy(node.nodeId),
    db.select().from(device).orderBy(device.deviceId),
    db.select().from(deviceAcknowledgement),
    db.select().from(target).orderBy(target.targetId),
    db.select().from(dataset).orderBy(dataset.datasetId),
    db.select().from(datasetVersion).orderBy(datasetVersion.committedAtMs),
    db.select().from(pointer),
    db.select().from(replica),
    db.select().from(job).where(eq(job.active, true)),
    fleetPlan(db),
    db
      .select({ rule: alert.rule, text: alert.text, ids: alert.ids, sinceMs: alert.sinceMs })
      .from(alert)
      .where(and(inArray(alert.rule, ['target-unreachable', 'policy.infeasible']), isNull(alert.endedAtMs))),
  ]);
  const plan = newest === undefined ? null : (newest.body as StoredPlan);
  return {
    asOfMs: snapshot.takenAtMs,
    snapshot,
    policy,
    priceBook: prices.entries,
    nodes,
    devices,
    acknowledgements: new Map(acknowledgements.map((row) => [row.deviceId as string, row])),
    targets,
    datasets,
    versions,
    pointers: new Map(pointers.map((row) => [row.datasetId as string, row])),
    replicas,
    activeJobs,
    plan,
    infeasible: new Map((plan?.infeasible ?? []).map((one) => [one.datasetId, one])),
    heats: new Map(datasets.flatMap((row) => (row.heat === null ? [] : [[row.datasetId, row.heat] as const]))),
    facts: new Map(snapshot.datasets.map((facts) => [facts.datasetId as string, facts])),
    targetFacts: new Map(snapshot.targets.map((facts) => [facts.targetId as string, facts])),
    infeasibleSinceMs: new Map(alerts.flatMap(({ rule, ids, sinceMs }) => (rule === 'policy.infeasible' ? [[String(ids.datasetId), sinceMs] as const] : []))),
    unreachable: new Map(
      alerts.flatMap(({ rule, ids, text }) => (rule === 'target-unreachable' && ids.targetId !== undefined ? [[String(ids.targetId), text] as const] : [])),
    ),
  };
}

/** The policy of one dataset row. */
export function policyOf(rows: FleetRows, row: Row<typeof dataset>): Policy {
  return effectivePolicy(rows.policy.policy, row.ownPolicy);
}

/** The prices of a target by its class, null when the book does not know it. */
export function pricesOf(rows: FleetRows, priceClass: string) {
  return pricesAt(rows.priceBook, priceClass, rows.asOfMs) ?? null;
}

/** Targets whose copies can be read now: the agent is heard, and it reaches the place. */
export function reachableTargets(rows: FleetRows): ReadonlySet<string> {
  const heard = new Set(rows.nodes.filter((node) => heardStates.includes(node.agentState)).map((node) => node.nodeId));
  return new Set(rows.targets.filter((target) => heard.has(target.nodeId) && target.reachable && target.state !== 'lost').map((target) => target.targetId));
}
