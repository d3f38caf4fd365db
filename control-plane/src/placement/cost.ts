import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, TargetId } from '@data-in-motion/shared/domain/ids';
import { bytesPerGb } from '@data-in-motion/shared/domain/price';
import type { ReplicaState } from '@data-in-motion/shared/domain/replica';
import { billedBytes, type Stored } from '../fleet/copy-cost.ts';
import { asHeldBy, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import { type ExpectedUse, expectedUse } from '../heat/expected-use.ts';
import type { CopyRole } from '../policy/violations.ts';
import type { CostParts } from './plan.ts';

/** States in which a copy fills its place and is paid for; of a copy that is being written the bytes are paid when it is whole. */
const paidStates: readonly ReplicaState[] = ['verified', 'suspect', 'corrupt', 'retiring', 'trashed', 'conflict'];

/** Whether a copy in this state is billed. */
export function isPaid(replica: ReplicaFacts): boolean {
  return paidStates.includes(replica.state);
}

export interface FleetCost {
  readonly perMonth: number;
  readonly byTier: Readonly<Record<string, number>>;
  readonly byOwner: Readonly<Record<string, number>>;
  readonly byTarget: Readonly<Record<string, number>>;
}

/**
 * What one copy costs at a target, US dollars per month of 730 hours:
 *
 *     storage   = billed GB (10^9 bytes, see `billedBytes`) × storagePerGbMonth
 *     requests  = reads per month / 1000 × readsPer1000              the primary only: readers use it
 *     retrieval = read bytes per month in GB × retrievalPerGb        the primary only
 *     egress    = read bytes per month in GB × egressPerGb           the primary only
 *
 * Readers are taken to be outside the target's site, as for a shared data set they mostly are; a place whose readers are local has an
 * egress price of 0 in its price book. A target without a price counts as free of charge here; nothing new is put there.
 */
export function replicaCost(target: TargetFacts, role: CopyRole, stored: Stored, use: ExpectedUse): CostParts {
  const prices = target.prices;
  if (prices === null) return noCost;
  const readGb = role === 'primary' ? use.readBytesPerMonth / bytesPerGb : 0;
  return {
    storagePerMonth: (billedBytes(target, stored) / bytesPerGb) * prices.storagePerGbMonth,
    requestsPerMonth: role === 'primary' ? (use.readsPerMonth / 1000) * prices.readsPer1000 : 0,
    retrievalPerMonth: readGb * prices.retrievalPerGb,
    egressPerMonth: readGb * prices.egressPerGb,
    migrationOnce: 0,
  };
}

export const noCost: CostParts = { storagePerMonth: 0, requestsPerMonth: 0, retrievalPerMonth: 0, egressPerMonth: 0, migrationOnce: 0 };
export const costPartNames = Object.keys(noCost) as readonly (keyof CostParts)[];

/**
 * What readers' waiting is worth, US dollars per month: reads × p95 to the first byte × dollarsPerReadSec. Not money that anybody bills:
 * it is what lets a dataset without a stated latency SLO be drawn to a fast place by its use, and is kept apart from the cost.
 */
export function waitingPerMonth(target: TargetFacts, role: CopyRole, use: ExpectedUse, dollarsPerReadSec: number): number {
  return role === 'primary' ? use.readsPerMonth * (expectedLatencyMs(target) / 1000) * dollarsPerReadSec : 0;
}

/** The measured p95, or, until it is measured, what such a tier usually shows: flash, a disk's seek, an archive's. Milliseconds. */
export function expectedLatencyMs(target: TargetFacts): number {
  return target.latencyP95Ms ?? { hot: 5, warm: 25, cold: 250 }[target.tier];
}

/** The parts that come back every month. */
export function perMonth(cost: CostParts): number {
  return cost.storagePerMonth + cost.requestsPerMonth + cost.retrievalPerMonth + cost.egressPerMonth;
}

/** Part by part. */
export function addCosts(costs: readonly CostParts[]): CostParts {
  const sum: Record<keyof CostParts, number> = { ...noCost };
  for (const cost of costs) for (const part of costPartNames) sum[part] += cost[part];
  return sum;
}

/** What all paid copies of a dataset cost where they are, each for what it holds. */
export function datasetCost(snapshot: FleetSnapshot, dataset: DatasetFacts, heat: Heat | undefined): CostParts {
  return addCosts(paidCopies(snapshot, dataset, heat).map(({ cost }) => cost));
}

const fleetCosts = new WeakMap<FleetSnapshot, { readonly heats: ReadonlyMap<DatasetId, Heat>; readonly cost: FleetCost }>();

/** What the fleet costs per month as it is, US dollars; each sum has the same total. Added up once for each snapshot. */
export function fleetCost(snapshot: FleetSnapshot, heats: ReadonlyMap<DatasetId, Heat>): FleetCost {
  const known = fleetCosts.get(snapshot);
  if (known?.heats === heats) return known.cost;
  const sum = new FleetCostSum(snapshot, heats);
  for (const dataset of snapshot.datasets) sum.add(dataset);
  fleetCosts.set(snapshot, { heats, cost: sum.cost });
  return sum.cost;
}

/** What the fleet costs, dataset by dataset: for who adds up a large one in slices. */
export class FleetCostSum {
  readonly #targets: ReadonlyMap<TargetId, TargetFacts>;
  readonly #heats: ReadonlyMap<DatasetId, Heat>;
  readonly #byTier: Record<string, number> = {};
  readonly #byOwner: Record<string, number> = {};
  readonly #byTarget: Record<string, number> = {};
  #perMonth = 0;

  constructor(snapshot: FleetSnapshot, heats: ReadonlyMap<DatasetId, Heat>) {
    this.#targets = indexOf(snapshot).targets;
    this.#heats = heats;
  }

  add(dataset: DatasetFacts): void {
    const use = expectedUse(this.#heats.get(dataset.datasetId));
    // As `paidCopies`, without an object for each of a large fleet's copies.
    for (const replica of dataset.replicas) {
      const target = this.#targets.get(replica.targetId);
      if (target === undefined || !isPaid(replica)) continue;
      const dollars = perMonth(costWhereItIs(target, dataset, replica, use));
      this.#perMonth += dollars;
      this.#byTier[target.tier] = (this.#byTier[target.tier] ?? 0) + dollars;
      this.#byOwner[dataset.owner] = (this.#byOwner[dataset.owner] ?? 0) + dollars;
      this.#byTarget[target.targetId] = (this.#byTarget[target.targetId] ?? 0) + dollars;
    }
  }

  get cost(): FleetCost {
    return { perMonth: this.#perMonth, byTier: this.#byTier, byOwner: this.#byOwner, byTarget: this.#byTarget };
  }
}

/** One copy that is paid for, and what it costs where it is. */
export interface PaidCopy {
  readonly replica: ReplicaFacts;
  /** What it holds, see `asHeldBy`. */
  readonly sizeBytes: number;
  readonly target: TargetFacts;
  readonly cost: CostParts;
}

/** The copies of a dataset that are paid for, of whatever version and state. */
export function paidCopies(snapshot: FleetSnapshot, dataset: DatasetFacts, heat: Heat | undefined): PaidCopy[] {
  const fleet = indexOf(snapshot);
  const use = expectedUse(heat);
  return dataset.replicas.flatMap((replica) => {
    const target = fleet.targets.get(replica.targetId);
    if (target === undefined || !isPaid(replica)) return [];
    return [{ replica, sizeBytes: asHeldBy(dataset, replica).sizeBytes, target, cost: costWhereItIs(target, dataset, replica, use) }];
  });
}

/** By what the copy holds: an old version is billed at its own size until it leaves. */
function costWhereItIs(target: TargetFacts, dataset: DatasetFacts, replica: ReplicaFacts, use: ExpectedUse): CostParts {
  return replicaCost(target, replica.replicaId === dataset.primaryReplicaId ? 'primary' : 'copy', asHeldBy(dataset, replica), use);
}
