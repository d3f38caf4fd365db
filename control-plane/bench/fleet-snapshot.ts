import type { DatasetId, DeviceId, NodeId, ReplicaId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { pick, randomInt, seededRandom } from '@data-in-motion/shared/random';
import type { DatasetFacts, DeviceFacts, FleetSnapshot, NodeFacts, ReplicaFacts, TargetFacts } from '../src/fleet/snapshot.ts';

const nowMs = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;

/**
 * A made-up fleet of any size as the control loop sees it: sites of four nodes, targets of three tiers with room for about half as much again as they hold, two copies
 * of most datasets at different sites, a few policies, three datasets of a hundred in use. One copy of two hundred is missing, one drive of a hundred is at risk.
 */
export function madeUpFleet(datasetCount: number, targetCount: number, seed: number): FleetSnapshot {
  const random = seededRandom(seed);
  const nodes = Array.from(
    { length: Math.ceil(targetCount / 5) },
    (_, at): NodeFacts => ({
      nodeId: `node-${at}` as NodeId,
      siteId: `site-${Math.floor(at / 4)}` as SiteId,
      agentState: 'online',
      lastHeardAtMs: nowMs,
      incarnation: 1,
    }),
  );
  const devices = Array.from({ length: targetCount }, (_, at): DeviceFacts => {
    const isRisky = random.next() < 0.01;
    return {
      deviceId: `drive-${at}` as DeviceId,
      nodeId: nodes[Math.floor(at / 5)]!.nodeId,
      level: isRisky ? 'at-risk' : 'healthy',
      probability: isRisky ? 0.3 : 0.002,
      horizonDays: 30,
      levelSinceMs: nowMs - dayMs,
      assessedAtMs: nowMs,
      judge: 'rules 1',
      judgeKind: 'rule',
      judgeSinceMs: nowMs - 30 * dayMs,
      saysItFails: false,
      evacuatingSinceMs: null,
      reasons: [],
    };
  });
  const targets = Array.from({ length: targetCount }, (_, at): TargetFacts => {
    const kind = kinds[at % kinds.length]!;
    const node = nodes[Math.floor(at / 5)]!;
    return {
      targetId: `target-${at}` as TargetId,
      nodeId: node.nodeId,
      siteId: node.siteId,
      state: 'ok',
      tier: kind.tier,
      locationKind: 'on-premises',
      provider: 'own',
      region: Number(node.siteId.slice(5)) % 2 === 0 ? 'eu' : 'us',
      failureDomain: node.nodeId,
      encryptedAtRest: at % 7 !== 0,
      priceClass: kind.tier,
      prices: {
        storagePerGbMonth: kind.perGb * (0.9 + 0.2 * random.next()),
        readsPer1000: kind.reads,
        writesPer1000: 0,
        egressPerGb: 0.01,
        minimumDays: 0,
        retrievalPerGb: kind.retrieval,
        minimumObjectBytes: 0,
      },
      capacityBytes: 0,
      usedBytes: 0,
      reserveBytes: 0,
      reservedBytes: 0,
      latencyP95Ms: kind.latencyMs * (0.8 + 0.4 * random.next()),
      readBytesPerSec: kind.bytesPerSec,
      writeBytesPerSec: kind.bytesPerSec,
      requestsPerSec: null,
      deviceIds: [devices[at]!.deviceId],
    };
  });
  const used = new Map<TargetId, number>();
  const datasets = Array.from({ length: datasetCount }, (_, at): DatasetFacts => {
    const datasetId = `set-${String(at).padStart(7, '0')}` as DatasetId;
    const versionId = `${datasetId}-v1` as VersionId;
    const sizeBytes = Math.round(1e9 * Math.exp(2 + 1.5 * (random.next() + random.next() + random.next() - 1.5)));
    const policy: Policy = { ...defaultPolicy, ...policies[at % policies.length]! };
    const sites = new Set<string>();
    const places: TargetFacts[] = [];
    while (places.length < policy.copies) {
      const target = pick(random, targets);
      const isAllowed = (policy.regions.length === 0 || policy.regions.includes(target.region)) && (!policy.encryptionRequired || target.encryptedAtRest);
      if (!isAllowed || sites.has(target.siteId) || (places.length === 0 && policy.latencySloMs !== null && target.latencyP95Ms! > policy.latencySloMs))
        continue;
      sites.add(target.siteId);
      places.push(target);
      used.set(target.targetId, (used.get(target.targetId) ?? 0) + sizeBytes);
    }
    const replicas = places.map(
      (target, copy): ReplicaFacts => ({
        replicaId: `${datasetId}-${copy}` as ReplicaId,
        versionId,
        targetId: target.targetId,
        state: copy > 0 && random.next() < 0.005 ? 'missing' : 'verified',
        verifiedAtMs: nowMs - dayMs,
        createdAtMs: nowMs - 100 * dayMs,
      }),
    );
    const reads = random.next() < 0.03 ? randomInt(random, 1, 2_000) : 0;
    return {
      datasetId,
      owner: `team-${at % 20}`,
      rev: 1,
      policy,
      versionId,
      versionMadeAtMs: nowMs - 100 * dayMs,
      objects: Math.ceil(sizeBytes / 1e6),
      sizeBytes,
      unreadable: 0,
      primaryReplicaId: replicas[0]!.replicaId,
      pointerRev: 1,
      replicas,
      windows: (['1h', '6h', '24h'] as const).map((window) => ({ window, reads, writes: 0, readBytes: reads * 1e6, writtenBytes: 0 })),
      pastUse: null,
      lastAccessAtMs: reads > 0 ? nowMs - 60_000 : nowMs - 30 * dayMs,
      ewmaPerHour: 0,
      heatClass: 'cold',
      heatDecidedAtMs: nowMs - dayMs,
      lastMovedAtMs: null,
      createdAtMs: nowMs - 100 * dayMs,
    };
  });
  return {
    takenAtMs: nowMs,
    globalPolicy: defaultPolicy,
    nodes,
    devices,
    targets: targets.map((target) => ({
      ...target,
      usedBytes: used.get(target.targetId) ?? 0,
      capacityBytes: Math.round(1.5 * (used.get(target.targetId) ?? 0)),
    })),
    datasets,
    jobs: [],
    priceRev: 1,
    holds: [],
    shadowPrices: [],
  };
}

const kinds = [
  { tier: 'hot', perGb: 0.045, reads: 0, retrieval: 0, latencyMs: 1, bytesPerSec: 2e9 },
  { tier: 'warm', perGb: 0.011, reads: 0, retrieval: 0, latencyMs: 12, bytesPerSec: 2e8 },
  { tier: 'warm', perGb: 0.014, reads: 0, retrieval: 0, latencyMs: 9, bytesPerSec: 2.5e8 },
  { tier: 'cold', perGb: 0.006, reads: 0.0004, retrieval: 0, latencyMs: 60, bytesPerSec: 1e8 },
] as const;
const policies: readonly Partial<Policy>[] = [
  {},
  {},
  { regions: ['eu'] },
  { encryptionRequired: true },
  { copies: 3, spread: 'node' },
  { latencySloMs: 30 },
  { copies: 1, spread: 'target' },
];
