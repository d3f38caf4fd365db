import type { DatasetId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import { violationsOfExistingCopy } from '../policy/violations.ts';
import { type Copies, copiesOf } from './copies.ts';

/** The pointer shall name another copy that is there already: no byte moves. */
export interface Promotion {
  readonly datasetId: DatasetId;
  readonly fromReplicaId: ReplicaId | null;
  readonly toReplicaId: ReplicaId;
  readonly expectedPointerRev: number;
  readonly reason: string;
}

/**
 * Whether the readers of a dataset should use another copy, as a list of one or none: the primary can not be read any more (its place is lost, or it was found
 * corrupt or missing), or it is too slow for the policy while a verified copy of the same version stands where it is fast enough.
 * The copy that keeps the policy is taken, then the fastest, then by name.
 */
export function datasetPromotion(snapshot: FleetSnapshot, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>): Promotion[] {
  const primary = dataset.replicas.find((replica) => replica.replicaId === dataset.primaryReplicaId);
  if (primary === undefined || primary.versionId !== dataset.versionId) return [];
  const unreadable = unreadableBecause(primary, health.get(primary.targetId));
  // Most primaries are well, and their copies need not be sorted to see that.
  if (unreadable === null && !isTooSlow(snapshot, dataset, primary)) return [];
  const copies = copiesOf(snapshot, dataset, health);
  if (copies.inHand.has(primary.replicaId)) return [];
  const best = unreadable === null ? fasterCopies(snapshot, dataset, copies)[0] : fastestFirst(snapshot, dataset, copies.counted)[0];
  if (best === undefined) return [];
  const reason =
    unreadable === null
      ? `the primary on ${primary.targetId} is slower than the ${dataset.policy.latencySloMs} ms that are promised; the verified copy on ${best.targetId} keeps them`
      : `the primary on ${primary.targetId} is ${unreadable}; the verified copy on ${best.targetId} takes its place`;
  return [{ datasetId: dataset.datasetId, fromReplicaId: primary.replicaId, toReplicaId: best.replicaId, expectedPointerRev: dataset.pointerRev, reason }];
}

/** Counted copies that keep every rule of a primary while the primary breaks its latency SLO, fastest first; empty when the primary keeps it. */
export function fasterCopies(snapshot: FleetSnapshot, dataset: DatasetFacts, copies: Copies): ReplicaFacts[] {
  const primary = dataset.replicas.find((replica) => replica.replicaId === dataset.primaryReplicaId);
  if (primary === undefined || !isTooSlow(snapshot, dataset, primary)) return [];
  const { targets } = indexOf(snapshot);
  const measured = copies.counted.filter((replica) => targets.get(replica.targetId)?.latencyP95Ms != null);
  return fastestFirst(snapshot, dataset, measured).filter((replica) => rulesBroken(snapshot, dataset, replica).length === 0);
}

function isTooSlow(snapshot: FleetSnapshot, dataset: DatasetFacts, primary: ReplicaFacts): boolean {
  return dataset.policy.latencySloMs !== null && rulesBroken(snapshot, dataset, primary).includes('latency-slo');
}

function unreadableBecause(primary: ReplicaFacts, place: TargetHealth | undefined): string | null {
  if (!['verified', 'suspect', 'retiring'].includes(primary.state)) return primary.state;
  if (place?.counts === true || place?.drain === true) return null;
  return `out of reach${place?.reason == null ? '' : ` (${place.reason})`}`;
}

function fastestFirst(snapshot: FleetSnapshot, dataset: DatasetFacts, replicas: readonly ReplicaFacts[]): ReplicaFacts[] {
  const { targets } = indexOf(snapshot);
  const latency = (replica: ReplicaFacts): number => targets.get(replica.targetId)?.latencyP95Ms ?? Number.MAX_VALUE;
  const breaks = (replica: ReplicaFacts): number => Number(rulesBroken(snapshot, dataset, replica).length > 0);
  return [...replicas].sort((a, b) => breaks(a) - breaks(b) || latency(a) - latency(b) || (a.replicaId < b.replicaId ? -1 : 1));
}

/** The rules that a copy would break, or breaks, as the primary. */
function rulesBroken(snapshot: FleetSnapshot, dataset: DatasetFacts, replica: ReplicaFacts): string[] {
  const target = indexOf(snapshot).targets.get(replica.targetId);
  return target === undefined ? ['not-usable'] : violationsOfExistingCopy(dataset.policy, target, 'primary').map((violation) => violation.rule);
}
