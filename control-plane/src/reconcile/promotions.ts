import type { DatasetId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { targetHealth } from '../health/target-health.ts';
import { violationsOfExistingCopy } from '../policy/violations.ts';
import { copiesOf } from './copies.ts';

/** The pointer shall name another copy that is there already: no byte moves. */
export interface Promotion {
  readonly datasetId: DatasetId;
  readonly fromReplicaId: ReplicaId | null;
  readonly toReplicaId: ReplicaId;
  readonly expectedPointerRev: number;
  readonly reason: string;
}

/**
 * Datasets whose primary can not be read any more (its place is lost, or it was found corrupt or missing) while another verified copy of the
 * same version stands. The copy that keeps the policy's latency is taken, then the fastest, then by name.
 */
export function promotions(snapshot: FleetSnapshot): Promotion[] {
  const fleet = indexOf(snapshot);
  const health = targetHealth(snapshot);
  return snapshot.datasets.flatMap((dataset) => {
    const primary = dataset.replicas.find((replica) => replica.replicaId === dataset.primaryReplicaId);
    if (primary === undefined || primary.versionId !== dataset.versionId) return [];
    const place = health.get(primary.targetId);
    const readable = ['verified', 'suspect', 'retiring'].includes(primary.state) && (place?.counts === true || place?.drain === true);
    const copies = copiesOf(snapshot, dataset, health);
    if (readable || copies.inHand.has(primary.replicaId)) return [];
    const breaks = (target: TargetFacts | undefined): number => (target === undefined ? 1 : Number(violationsOfExistingCopy(dataset.policy, target, 'primary').length > 0));
    const ranked = copies.counted
      .map((replica) => ({ replica, target: fleet.targets.get(replica.targetId) }))
      .sort((a, b) => breaks(a.target) - breaks(b.target) || (a.target?.latencyP95Ms ?? 1e9) - (b.target?.latencyP95Ms ?? 1e9) || (a.replica.replicaId < b.replica.replicaId ? -1 : 1));
    const best = ranked[0]?.replica;
    if (best === undefined) return [];
    const reason = `the primary on ${primary.targetId} is ${primary.state === 'verified' ? 'out of reach' : primary.state}${place?.reason == null ? '' : ` (${place.reason})`}; the verified copy on ${best.targetId} takes its place`;
    return [{ datasetId: dataset.datasetId, fromReplicaId: primary.replicaId, toReplicaId: best.replicaId, expectedPointerRev: dataset.pointerRev, reason }];
  });
}
