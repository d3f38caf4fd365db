import type { DeviceView, NodeView, TargetView } from '@data-in-motion/shared/api/fleet';
import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import type { DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import { inSlices } from '@data-in-motion/shared/in-slices';
import { heldBytes } from '../../fleet/plan-holds.ts';
import { deviceEvacuations } from '../../health/evacuations.ts';
import type { FleetCost } from '../../placement/cost.ts';
import type { ReplicaRow } from '../../store/kept-datasets.ts';
import { type FleetRows, pricesOf, replicasByTarget } from '../fleet-rows.ts';
import { perLook } from '../per-look.ts';
import { fleetCostOf } from './fleet-cost.ts';

const worstFirst: readonly RiskLevel[] = ['failing', 'at-risk', 'watch', 'unknown', 'healthy'];

/** The level to worry about most; `unknown` when there is none. */
export function worstLevel(levels: readonly RiskLevel[]): RiskLevel {
  return worstFirst.find((level) => levels.includes(level)) ?? 'unknown';
}

type ReplicasAt = ReadonlyMap<TargetId, readonly ReplicaRow[]>;

/** Copies that have bytes on a target: everything that is not gone yet. */
function replicasOn(replicasAt: ReplicasAt, targetId: TargetId): readonly ReplicaRow[] {
  return (replicasAt.get(targetId) ?? []).filter((replica) => !['purged', 'abandoned', 'missing'].includes(replica.state));
}

export function deviceView(rows: FleetRows, row: FleetRows['devices'][number], replicasAt: ReplicasAt): DeviceView {
  const targets = rows.targets.filter((target) => target.description.deviceIds.includes(row.deviceId));
  const datasets = new Set(
    targets.flatMap((target) =>
      replicasOn(replicasAt, target.targetId)
        .filter((replica) => replica.state !== 'trashed')
        .map((replica) => replica.datasetId),
    ),
  );
  return {
    deviceId: row.deviceId,
    nodeId: row.nodeId,
    siteId: rows.nodes.find((node) => node.nodeId === row.nodeId)?.siteId ?? '',
    serial: row.serial,
    model: row.model,
    kind: row.kind,
    capacityBytes: row.capacityBytes,
    path: row.path,
    targetIds: targets.map((target) => target.targetId),
    level: row.level,
    probability: row.probability,
    probability7: row.probability7,
    horizonDays: row.horizonDays,
    judge: row.judge,
    reasons: row.reasons,
    sinceMs: row.levelSinceMs,
    lastReadingAtMs: row.lastReadingAtMs,
    recordedDay: row.recordedDay,
    temperatureCelsius: row.temperatureCelsius,
    powerOnHours: row.powerOnHours,
    datasets: datasets.size,
    acknowledged: acknowledgedOf(rows, row.deviceId),
    evacuation: evacuationOf(rows, row.deviceId),
  };
}

function acknowledgedOf(rows: FleetRows, deviceId: string): DeviceView['acknowledged'] {
  const row = rows.acknowledgements.get(deviceId);
  return row === undefined ? null : { counts: row.counts, atMs: row.atMs, by: row.by, note: row.note };
}

function evacuationOf(rows: FleetRows, deviceId: DeviceId): DeviceView['evacuation'] {
  const said = deviceEvacuations(rows.snapshot).get(deviceId);
  if (said === undefined) return null;
  const { verdict, reason, price } = said;
  return { verdict, reason, leavingDollars: price?.leavingDollars ?? null, movingDollars: price?.movingDollars ?? null };
}

export function targetView(rows: FleetRows, row: FleetRows['targets'][number], cost: FleetCost, replicasAt: ReplicasAt): TargetView {
  const facts = rows.targetFacts.get(row.targetId);
  const { description } = row;
  return {
    targetId: row.targetId,
    nodeId: row.nodeId,
    siteId: facts?.siteId ?? '',
    state: row.reachable ? row.state : 'lost',
    stateReason: row.reachable ? row.stateReason : (rows.unreachable.get(row.targetId) ?? 'its agent can not reach it'),
    tier: description.tier,
    locationKind: description.locationKind,
    provider: description.provider,
    region: description.region,
    failureDomain: description.failureDomain,
    encryptedAtRest: description.encryptedAtRest,
    root: description.root,
    priceClass: description.priceClass,
    prices: pricesOf(rows, description.priceClass),
    capacityBytes: row.capacityBytes,
    usedBytes: row.usedBytes,
    reservedBytes: facts?.reservedBytes ?? 0,
    plannedBytes: heldBytes(rows.snapshot).get(row.targetId) ?? 0,
    freeBytes: row.freeBytes,
    latencyP50Ms: row.latencyP50Ms,
    latencyP95Ms: row.latencyP95Ms,
    latencyP99Ms: row.latencyP99Ms,
    readBytesPerSec: row.readBytesPerSec,
    writeBytesPerSec: row.writeBytesPerSec,
    measuredAtMs: row.measuredAtMs,
    deviceIds: [...description.deviceIds],
    risk: worstLevel(rows.devices.filter((device) => description.deviceIds.includes(device.deviceId)).map((device) => device.level)),
    replicas: replicasOn(replicasAt, row.targetId).length,
    costPerMonth: cost.byTarget[row.targetId] ?? 0,
  };
}

/** All places, as they are shown. */
export const targetViews = perLook(async (rows) => {
  const [cost, replicasAt] = [await fleetCostOf(rows), await replicasByTarget(rows)];
  return inSlices(rows.targets, (row) => [targetView(rows, row, cost, replicasAt)]);
});

/** All drives, as they are shown. */
export const deviceViews = perLook(async (rows) => {
  const replicasAt = await replicasByTarget(rows);
  return inSlices(rows.devices, (row) => [deviceView(rows, row, replicasAt)]);
});

export function nodeView(rows: FleetRows, row: FleetRows['nodes'][number]): NodeView {
  const devices = rows.devices.filter((device) => device.nodeId === row.nodeId);
  return {
    nodeId: row.nodeId,
    siteId: row.siteId,
    host: row.host,
    agentState: row.agentState,
    agentVersion: row.agentVersion,
    modelVersion: row.modelVersion,
    incarnation: row.incarnation,
    lastHeardAtMs: row.lastHeardAtMs,
    transferUrl: row.transferUrl,
    importRoots: row.importRoots,
    targets: rows.targets.filter((target) => target.nodeId === row.nodeId).length,
    devices: devices.length,
    worstRisk: worstLevel(devices.map((device) => device.level)),
    runningJobs: rows.activeJobs.filter((job) => job.moverNodeId === row.nodeId && !['planned', 'retry-wait', 'no-space', 'paused'].includes(job.state)).length,
  };
}
