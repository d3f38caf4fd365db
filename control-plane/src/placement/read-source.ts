import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { copyOnce } from '../fleet/copy-cost.ts';
import { currentReplicas, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import type { Copies } from '../reconcile/copies.ts';

/**
 * The copies that a new one can be read from, of the best kind there is: counted ones, those on a place that is being emptied,
 * and at last what a job wants to replace: while its new copy is out of reach, the old one may be all that is left.
 */
export function sourcesOf(dataset: DatasetFacts, copies: Copies, health: ReadonlyMap<TargetId, TargetHealth>): readonly ReplicaFacts[] {
  if (copies.counted.length > 0) return copies.counted;
  if (copies.leaving.length > 0) return copies.leaving;
  return currentReplicas(dataset).filter((replica) => {
    const place = health.get(replica.targetId);
    return replica.state === 'verified' && (place?.counts === true || place?.drain === true);
  });
}

/**
 * The copy that a new one at a place is read from: of the sources the one that costs least to read there, of equals one on the same node, then at the same
 * site, then the one that is replaced, then the first by name. It follows from what stands now and from nothing else that is chosen, so that the price of a way is known before any
 * place is; the job reads that copy while it can be read. Null where there is no source.
 */
export function sourceFor(
  snapshot: FleetSnapshot,
  dataset: DatasetFacts,
  sources: readonly ReplicaFacts[],
  to: TargetFacts,
  replaced: ReplicaFacts | null,
): ReplicaFacts | null {
  const { targets } = indexOf(snapshot);
  let best: { readonly source: ReplicaFacts; readonly once: number; readonly rank: number } | null = null;
  for (const source of sources) {
    const from = targets.get(source.targetId);
    if (from === undefined) continue;
    const once = copyOnce(from, to, dataset);
    const rank = from.nodeId === to.nodeId ? 0 : from.siteId === to.siteId ? 1 : source.replicaId === replaced?.replicaId ? 2 : 3;
    const before = best === null ? -1 : once - best.once || rank - best.rank || (source.replicaId < best.source.replicaId ? -1 : 1);
    if (before < 0) best = { source, once, rank };
  }
  return best?.source ?? null;
}
