import type { WindowCounts } from '@data-in-motion/shared/domain/heat';
import { heatWindows } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, DeviceId, JobId, NodeId, ReplicaId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import type { Prices } from '@data-in-motion/shared/domain/price';
import type { DatasetFacts, DeviceFacts, FleetSnapshot, JobFacts, NodeFacts, PlanHold, ReplicaFacts, TargetFacts } from '../snapshot.ts';

/** Fleets for tests, as small as the rule needs: every part has a harmless default. */
export const nowMs = Date.UTC(2026, 0, 15, 12);
const dayMs = 86_400_000;

export const freePrices: Prices = { storagePerGbMonth: 0, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0, retrievalPerGb: 0, minimumDays: 0, minimumObjectBytes: 0 };

export function prices(storagePerGbMonth: number, more: Partial<Prices> = {}): Prices {
  return { ...freePrices, storagePerGbMonth, ...more };
}

export function nodeFacts(name: string, more: Partial<NodeFacts> = {}): NodeFacts {
  return { nodeId: name as NodeId, siteId: name as SiteId, agentState: 'online', lastHeardAtMs: nowMs, incarnation: 1, ...more };
}

export function deviceFacts(name: string, more: Partial<DeviceFacts> = {}): DeviceFacts {
  return { deviceId: name as DeviceId, nodeId: 'berlin' as NodeId, level: 'healthy', probability: null, horizonDays: 30, levelSinceMs: null, assessedAtMs: nowMs, judge: 'rule', judgeKind: 'rule', judgeSinceMs: null, saysItFails: false, evacuatingSinceMs: null, reasons: [], ...more };
}

/** A target of 100 GB, all free, on the node and site that its name begins with (`berlin-disk` is in berlin). */
export function targetFacts(name: string, more: Partial<TargetFacts> = {}): TargetFacts {
  const site = name.split('-')[0]!;
  return {
    targetId: name as TargetId, nodeId: site as NodeId, siteId: site as SiteId, state: 'ok', tier: 'warm', locationKind: 'on-premises', provider: 'own', region: 'eu', failureDomain: name,
    encryptedAtRest: true, priceClass: name, prices: prices(0.02), capacityBytes: 100e9, usedBytes: 0, reserveBytes: 0, reservedBytes: 0,
    latencyP95Ms: 10, readBytesPerSec: 100e6, writeBytesPerSec: 100e6, requestsPerSec: null, deviceIds: [], ...more,
  };
}

export function replicaFacts(dataset: string, target: string, more: Partial<ReplicaFacts> = {}): ReplicaFacts {
  return { replicaId: `${dataset}@${target}` as ReplicaId, versionId: `${dataset}-v1` as VersionId, targetId: target as TargetId, state: 'verified', verifiedAtMs: nowMs, createdAtMs: nowMs - 90 * dayMs, ...more };
}

/** A dataset of 10 GB and 1000 objects with verified copies on the named targets, the first the primary. */
export function datasetFacts(name: string, places: readonly string[], policy: Partial<Policy> = {}, more: Partial<DatasetFacts> = {}): DatasetFacts {
  const replicas = places.map((place) => replicaFacts(name, place));
  return {
    datasetId: name as DatasetId, owner: 'lab', rev: 1, policy: { ...defaultPolicy, ...policy }, versionId: `${name}-v1` as VersionId, versionMadeAtMs: nowMs - 90 * dayMs, objects: 1000, sizeBytes: 10e9, unreadable: 0,
    primaryReplicaId: replicas[0]?.replicaId ?? null, pointerRev: 1, replicas, windows: windowsOf(0), pastUse: null, lastAccessAtMs: null, ewmaPerHour: 0, heatClass: null, heatDecidedAtMs: null,
    lastMovedAtMs: null, createdAtMs: nowMs - 90 * dayMs, ...more,
  };
}

/** Windows of a dataset that was read steadily at this rate. */
export function windowsOf(readsPerHour: number, bytesPerRead = 0): WindowCounts[] {
  return heatWindows.map(({ name, ms }) => {
    const reads = (readsPerHour * ms) / 3_600_000;
    return { window: name, reads, writes: 0, readBytes: reads * bytesPerRead, writtenBytes: 0 };
  });
}

/** Windows of a dataset that was read this often within the last minutes, and not before. */
export function burstOf(reads: number, bytesPerRead = 0): WindowCounts[] {
  return heatWindows.map(({ name }) => ({ window: name, reads, writes: 0, readBytes: reads * bytesPerRead, writtenBytes: 0 }));
}

export function jobFacts(dataset: DatasetFacts, purpose: JobFacts['purpose'], more: Partial<JobFacts> = {}): JobFacts {
  return { jobId: `${dataset.datasetId}-job` as JobId, key: `${dataset.datasetId}-${purpose}`, datasetId: dataset.datasetId, purpose, state: 'copying', fromReplicaId: null, fromTargetId: null, toReplicaId: null, toTargetId: null, moverNodeId: 'berlin' as NodeId, sourceNodeId: null, sizeBytes: dataset.sizeBytes, ...more };
}

/** The nodes of the targets are there and online unless they are given. */
export function fleetOf(parts: { targets: readonly TargetFacts[]; datasets?: readonly DatasetFacts[]; devices?: readonly DeviceFacts[]; nodes?: readonly NodeFacts[]; jobs?: readonly JobFacts[]; holds?: readonly PlanHold[]; globalPolicy?: Policy }): FleetSnapshot {
  const given = parts.nodes ?? [];
  const named = [...new Map(parts.targets.map((target) => [target.nodeId, nodeFacts(target.nodeId, { siteId: target.siteId })])).values()].filter((node) => !given.some((each) => each.nodeId === node.nodeId));
  return { takenAtMs: nowMs, globalPolicy: parts.globalPolicy ?? defaultPolicy, priceRev: 1, nodes: [...given, ...named], devices: parts.devices ?? [], targets: parts.targets, datasets: parts.datasets ?? [], jobs: parts.jobs ?? [], holds: parts.holds ?? [], shadowPrices: [] };
}
