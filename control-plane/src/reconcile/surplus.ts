import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts } from '../fleet/snapshot.ts';

/**
 * The copies that may go, in the order in which the dataset misses them least, given that those before are gone already:
 * where copies crowd, then what is not pinned, then the dearest storage, then by name so that the answer is the same every time.
 *
 * @param mayGo a part of `standing`
 */
export function worstFirst(snapshot: FleetSnapshot, dataset: DatasetFacts, mayGo: readonly ReplicaFacts[], standing: readonly ReplicaFacts[]): ReplicaFacts[] {
  const fleet = indexOf(snapshot);
  const domain = (replica: ReplicaFacts): string => {
    const target = fleet.targets.get(replica.targetId);
    return target === undefined ? replica.targetId : domainOf(target, dataset.policy.spread);
  };
  const price = (replica: ReplicaFacts): number => fleet.targets.get(replica.targetId)?.prices?.storagePerGbMonth ?? 0;
  const pinned = (replica: ReplicaFacts): number => Number(dataset.policy.pinnedTargets.includes(replica.targetId));

  const left = [...mayGo];
  const still = new Map([...Map.groupBy(standing, domain)].map(([name, replicas]) => [name, replicas.length]));
  const ordered: ReplicaFacts[] = [];
  while (left.length > 0) {
    left.sort((a, b) => still.get(domain(b))! - still.get(domain(a))! || pinned(a) - pinned(b) || price(b) - price(a) || (a.replicaId < b.replicaId ? -1 : 1));
    const worst = left.shift()!;
    still.set(domain(worst), still.get(domain(worst))! - 1);
    ordered.push(worst);
  }
  return ordered;
}
