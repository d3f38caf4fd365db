import type { DeviceId, ReplicaId, VersionId } from '@data-in-motion/shared/domain/ids';
import { type Policy, spreads } from '@data-in-motion/shared/domain/policy';
import { pick, type Random, randomInt, seededRandom } from '@data-in-motion/shared/random';
import type { DatasetFacts, DeviceFacts, FleetSnapshot, JobFacts, ReplicaFacts, TargetFacts } from '../snapshot.ts';
import { burstOf, datasetFacts, deviceFacts, fleetOf, jobFacts, nodeFacts, nowMs, prices, replicaFacts, targetFacts, windowsOf } from './small-fleet.ts';

export interface FleetSize {
  readonly targets: number;
  readonly datasets: number;
  readonly sites: number;
  /** Bytes of a target against what all datasets together would fill on one; below 1 room is short. */
  readonly room: number;
  /** 0 to 1: how often something is wrong with an agent, a device, a copy, or lies where policy does not want it. */
  readonly trouble: number;
}

/** A fleet with everything that can be the case in it. The same seed gives the same fleet. */
export function randomFleet(seed: number, size: FleetSize): FleetSnapshot {
  const random = seededRandom(seed);
  const sites = Array.from({ length: size.sites }, (_, site) => `site${site}`);
  const targets = Array.from({ length: size.targets }, (_, place) => randomTarget(random, size, sites[place % sites.length]!, place));
  const datasets = Array.from({ length: size.datasets }, (_, place) => randomDataset(random, size, targets, `set${place}`));
  const devices = targets.flatMap((target) => target.deviceIds.map((deviceId) => deviceFacts(deviceId, { ...(random.next() < size.trouble ? { level: 'at-risk', probability: 0.9 } : {}), ...judgedByModel(random, size) })));
  const nodes = sites.map((site) => nodeFacts(site, { agentState: random.next() < size.trouble / 2 ? pick(random, ['late', 'lost', 'returned'] as const) : 'online' }));
  const jobs = datasets.flatMap((dataset) => (random.next() < size.trouble / 2 ? randomJob(random, dataset, targets) : []));
  return fleetOf({ targets, datasets, devices, nodes, jobs });
}

/** Half of the drives in trouble are judged by a model, as anything from sound to dying. */
function judgedByModel(random: Random, size: FleetSize): Partial<DeviceFacts> {
  if (random.next() >= size.trouble / 2) return {};
  return { judge: 'model 1', judgeKind: 'model', level: pick(random, ['healthy', 'watch', 'at-risk', 'failing', 'unknown'] as const), probability: random.next() ** 4, evacuatingSinceMs: random.next() < 0.3 ? nowMs : null };
}

function randomTarget(random: Random, size: FleetSize, site: string, place: number): TargetFacts {
  const tier = pick(random, ['hot', 'warm', 'cold'] as const);
  const base = { hot: { price: 0.1, latency: 1 }, warm: { price: 0.03, latency: 12 }, cold: { price: 0.005, latency: 60 } }[tier];
  const capacityBytes = Math.ceil(size.room * size.datasets * 50) * 1e9;
  return targetFacts(`${site}-${place}`, {
    tier,
    provider: pick(random, ['own', 'aws', 'hosted']),
    region: pick(random, ['eu', 'us']),
    encryptedAtRest: random.next() > size.trouble,
    state: random.next() < size.trouble / 4 ? pick(random, ['draining', 'frozen', 'lost'] as const) : 'ok',
    prices: random.next() < size.trouble / 8 ? null : prices(base.price * (0.5 + random.next()), { readsPer1000: random.next() * 0.01, writesPer1000: random.next() * 0.02, egressPerGb: pick(random, [0, 0, 0.09]), minimumDays: pick(random, [0, 0, 90]), retrievalPerGb: pick(random, [0, 0, 0.03]), minimumObjectBytes: pick(random, [0, 0, 131_072]) }),
    capacityBytes,
    usedBytes: Math.floor(random.next() * 0.5 * capacityBytes),
    latencyP95Ms: random.next() < size.trouble / 4 ? null : base.latency * (0.5 + random.next()),
    deviceIds: [`disk${place}` as DeviceId],
  });
}

function randomDataset(random: Random, size: FleetSize, targets: readonly TargetFacts[], name: string): DatasetFacts {
  const troubled = (): boolean => random.next() < size.trouble;
  const policy: Partial<Policy> = {
    copies: randomInt(random, 1, 4),
    spread: pick(random, spreads),
    latencySloMs: troubled() ? pick(random, [2, 20, 100]) : null,
    maxCostPerGbMonth: troubled() ? 0.05 : null,
    regions: troubled() ? [pick(random, ['eu', 'us'])] : [],
    encryptionRequired: troubled(),
    pinnedTargets: random.next() < size.trouble / 4 ? [pick(random, targets).targetId] : [],
    forbiddenTargets: troubled() ? [pick(random, targets).targetId] : [],
  };
  const places = [...targets].sort(() => random.next() - 0.5).slice(0, Math.min(targets.length, randomInt(random, 1, 4)));
  const rate = 10 ** (random.next() * 4 - 1);
  const dataset = datasetFacts(name, places.map((target) => target.targetId), policy, {
    sizeBytes: randomInt(random, 1, 100) * 1e9,
    windows: random.next() < 0.5 ? windowsOf(rate, 1e5) : burstOf(Math.round(rate), 1e5),
    lastAccessAtMs: nowMs - Math.floor(random.next() * 2 * 86_400_000),
    lastMovedAtMs: troubled() ? nowMs - 60_000 : null,
  });
  const replicas = dataset.replicas.map((replica, place): ReplicaFacts => {
    const state = troubled() ? pick(random, ['corrupt', 'missing', 'suspect', 'trashed'] as const) : 'verified';
    return { ...replica, createdAtMs: nowMs - Math.floor(random.next() * 100 * 86_400_000), ...(place > 0 || random.next() < size.trouble / 2 ? { state } : {}) };
  });
  const stale = troubled() ? [replicaFacts(name, pick(random, targets).targetId, { replicaId: `${name}-old` as ReplicaId, versionId: `${name}-v0` as VersionId })] : [];
  // The old version was half as large, in files a tenth as many.
  const otherVersions = stale.map(({ versionId }) => ({ versionId, objects: dataset.objects / 10, sizeBytes: dataset.sizeBytes / 2 }));
  return { ...dataset, replicas: [...replicas, ...stale], ...(stale.length === 0 ? {} : { otherVersions }) };
}

function randomJob(random: Random, dataset: DatasetFacts, targets: readonly TargetFacts[]): JobFacts {
  const from = pick(random, dataset.replicas);
  const to = pick(random, targets);
  const purpose = pick(random, ['copy', 'move', 'retire', 'verify'] as const);
  const goes = purpose === 'copy' || purpose === 'move';
  return jobFacts(dataset, purpose, { fromReplicaId: from.replicaId, fromTargetId: from.targetId, toTargetId: goes ? to.targetId : null, moverNodeId: to.nodeId });
}
