import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { hoursPerMonth } from '@data-in-motion/shared/domain/price';
import type { PlacementSettings } from '../fleet/decision-settings.ts';
import type { TargetFacts } from '../fleet/snapshot.ts';
import { type ExpectedUse, expectedUse } from '../heat/expected-use.ts';
import type { AskContext } from './asks.ts';

const secondsPerMonth = hoursPerMonth * 3600;

/** Bytes a month that the primaries on a target may be expected to be read with: a share of what was measured; no limit until it is. */
export function readBytesLimitOf(target: TargetFacts, { busyShare }: PlacementSettings): number {
  return target.readBytesPerSec === null ? Infinity : target.readBytesPerSec * busyShare * secondsPerMonth;
}

/** Requests a month, likewise, of what its operator says that it takes. */
export function requestsLimitOf(target: TargetFacts, { busyShare }: PlacementSettings): number {
  return target.requestsPerSec === null ? Infinity : target.requestsPerSec * busyShare * secondsPerMonth;
}

/** What the primaries where they are now are expected to be read with, by target. */
export function served({ snapshot, heats }: Pick<AskContext, 'snapshot' | 'heats'>): Map<TargetId, ExpectedUse> {
  const use = new Map<TargetId, { readsPerMonth: number; readBytesPerMonth: number }>();
  for (const dataset of snapshot.datasets) {
    const primary = dataset.replicas.find((replica) => replica.replicaId === dataset.primaryReplicaId);
    const expected = expectedUse(heats.get(dataset.datasetId));
    if (primary === undefined || expected.readsPerMonth + expected.readBytesPerMonth === 0) continue;
    const sum = use.get(primary.targetId) ?? { readsPerMonth: 0, readBytesPerMonth: 0 };
    sum.readsPerMonth += expected.readsPerMonth;
    sum.readBytesPerMonth += expected.readBytesPerMonth;
    use.set(primary.targetId, sum);
  }
  return use;
}
