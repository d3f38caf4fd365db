import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, TargetId } from '@data-in-motion/shared/domain/ids';
import { effectivePolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { type PriceEntry, pricesAt } from '@data-in-motion/shared/domain/price';
import { eachInSlices } from '@data-in-motion/shared/in-slices';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { ByDataset } from '../fleet/by-dataset.ts';
import type { DatasetFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { heardStates } from '../health/agents.ts';
import { type TargetHealth, targetHealth } from '../health/target-health.ts';
import { policyBreaches } from '../policy/findings.ts';
import type { Store } from '../store/database.ts';
import type { FleetPlan } from '../store/fleet-plan.ts';
import type { AllDatasets, DatasetRow, DatasetRows, ReplicaRow, VersionRow } from '../store/kept-datasets.ts';
import { loadFleet } from '../store/load-snapshot.ts';
import { readGlobalPolicy } from '../store/policies.ts';
import { readPrices } from '../store/prices.ts';
import { alert, device, deviceAcknowledgement, job, node, target } from '../store/schema.ts';
import { perLook } from './per-look.ts';

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
  readonly targetOf: ReadonlyMap<string, Row<typeof target>>;
  /** By name, each with all that is kept of it. */
  readonly datasets: readonly DatasetRows[];
  readonly datasetsAt: AllDatasets['at'];
  readonly activeJobs: readonly Row<typeof job>[];
  readonly jobsOf: ReadonlyMap<string, readonly Row<typeof job>[]>;
  /** The current plan of the whole fleet; null before the first. */
  readonly plan: FleetPlan | null;
  /** Datasets whose policy the newest plan of the fleet could not meet, with the cheapest way out. */
  readonly infeasible: ReadonlyMap<string, { readonly rules: readonly string[]; readonly cheapestWayOut: string }>;
  /** Since when each of them is told. */
  readonly infeasibleSinceMs: ReadonlyMap<string, number>;
  readonly heats: ReadonlyMap<DatasetId, Heat>;
  readonly targetFacts: ReadonlyMap<string, TargetFacts>;
  /** What each target may be used for. */
  readonly health: ReadonlyMap<TargetId, TargetHealth>;
  /** Whether a finding of the dataset is an error. */
  readonly breaksPolicy: (dataset: DatasetFacts) => boolean;
  /** Why a target can not be reached, in its agent's words. */
  readonly unreachable: ReadonlyMap<string, string>;
}

/** The rows as they are now. */
export async function readRows(store: Store, plan: FleetPlan | null): Promise<FleetRows> {
  const db = store.db;
  const { snapshot, datasets } = await loadFleet(store);
  const [policy, prices, nodes, devices, acknowledgements, targets, activeJobs, alerts] = await Promise.all([
    readGlobalPolicy(db),
    readPrices(db),
    db.select().from(node).orderBy(node.nodeId),
    db.select().from(device).orderBy(device.deviceId),
    db.select().from(deviceAcknowledgement),
    db.select().from(target).orderBy(target.targetId),
    db.select().from(job).where(eq(job.active, true)),
    db
      .select({ rule: alert.rule, text: alert.text, ids: alert.ids, sinceMs: alert.sinceMs })
      .from(alert)
      .where(and(inArray(alert.rule, ['target-unreachable', 'policy.infeasible']), isNull(alert.endedAtMs))),
  ]);
  const health = targetHealth(snapshot);
  return {
    asOfMs: snapshot.takenAtMs,
    snapshot,
    policy,
    priceBook: prices.entries,
    nodes,
    devices,
    acknowledgements: new Map(acknowledgements.map((row) => [row.deviceId as string, row])),
    targets,
    targetOf: new Map(targets.map((row) => [row.targetId as string, row])),
    datasets: datasets.list,
    datasetsAt: datasets.at,
    activeJobs,
    jobsOf: Map.groupBy(activeJobs, (row) => row.datasetId as string),
    plan,
    infeasible: new Map((plan?.infeasible ?? []).map((one) => [one.datasetId, one])),
    heats: new ByDataset(datasets.at, (place) => datasets.list[place]!.row.heat ?? undefined),
    targetFacts: new Map(snapshot.targets.map((facts) => [facts.targetId as string, facts])),
    health,
    breaksPolicy: policyBreaches(snapshot, health),
    infeasibleSinceMs: new Map(alerts.flatMap(({ rule, ids, sinceMs }) => (rule === 'policy.infeasible' ? [[String(ids.datasetId), sinceMs] as const] : []))),
    unreachable: new Map(
      alerts.flatMap(({ rule, ids, text }) => (rule === 'target-unreachable' && ids.targetId !== undefined ? [[String(ids.targetId), text] as const] : [])),
    ),
  };
}

/** Undefined for a dataset that is not there. */
export function rowsOfDataset(rows: FleetRows, datasetId: string): DatasetRows | undefined {
  const at = rows.datasetsAt.get(datasetId as DatasetId);
  return at === undefined ? undefined : rows.datasets[at];
}

/** What decisions know of a dataset of these rows. */
export function factsOf(rows: FleetRows, datasetId: DatasetId): DatasetFacts | undefined {
  const at = rows.datasetsAt.get(datasetId);
  return at === undefined ? undefined : rows.snapshot.datasets[at];
}

/** All copies of the fleet in whatever state, dataset by dataset. */
export function allReplicas(rows: FleetRows): ReplicaRow[] {
  return rows.datasets.flatMap(({ replicas }) => replicas);
}

/** All versions of the fleet, dataset by dataset. */
export function allVersions(rows: FleetRows): VersionRow[] {
  return rows.datasets.flatMap(({ versions }) => versions);
}

/** Copies in whatever state, by the target they are on. */
export const replicasByTarget = perLook(async (rows): Promise<ReadonlyMap<TargetId, readonly ReplicaRow[]>> => {
  const sorted = new Map<TargetId, ReplicaRow[]>();
  await eachInSlices(rows.datasets, ({ replicas }) => {
    for (const replica of replicas) {
      const known = sorted.get(replica.targetId);
      if (known === undefined) sorted.set(replica.targetId, [replica]);
      else known.push(replica);
    }
  });
  return sorted;
});

/** The policy of one dataset row. */
export function policyOf(rows: FleetRows, row: DatasetRow): Policy {
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
