import type { DatasetId, DeviceId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { ShadowPrice } from '../fleet/snapshot.ts';
import type { ObjectiveParts } from './objective.ts';

/** A difference between what policy wants and what is. `kind` is why; the moves that answer it are the plan's. */
export type NeedKind =
  | 'add-copy'
  | 'drop-copy'
  | 'evacuate-device'
  | 'replace-bad-copy'
  | 'drop-stale-copy'
  | 'leave-forbidden-place'
  | 'follow-heat'
  | 'cheaper-place';

/** US dollars; per month but for `migrationOnce`. */
export interface CostParts {
  readonly storagePerMonth: number;
  readonly requestsPerMonth: number;
  readonly retrievalPerMonth: number;
  readonly egressPerMonth: number;
  readonly migrationOnce: number;
}

/** One step of a plan. `copy` adds a replica, `move` adds one and lets the old one go, `retire` only lets one go. */
export interface Move {
  readonly datasetId: DatasetId;
  readonly need: NeedKind;
  readonly action: 'copy' | 'move' | 'retire';
  readonly deviceId: DeviceId | null;
  /** The copy that is read (copy), replaced (move) or let go (retire). */
  readonly fromReplicaId: ReplicaId | null;
  readonly fromTargetId: TargetId | null;
  readonly toTargetId: TargetId | null;
  /** The copy that is read, by whose place the way is priced; null where none is (retire). */
  readonly readReplicaId: ReplicaId | null;
  readonly readTargetId: TargetId | null;
  readonly sizeBytes: number;
  readonly reason: string;
  /** 0 to 1 */
  readonly confidence: number;
  readonly costBefore: CostParts | null;
  readonly costAfter: CostParts | null;
  readonly changePerMonth: number;
  readonly migrationOnce: number;
  readonly paybackDays: number | null;
  readonly expectedMs: number | null;
  /** Lower is sooner: 0 safety (copies, evacuation), 1 compliance, 2 heat, 3 cost, 4 clean-up. */
  readonly priority: 0 | 1 | 2 | 3 | 4;
}

export interface Infeasible {
  readonly datasetId: DatasetId;
  /** The rules that can not be met together, by name. */
  readonly rules: readonly string[];
  readonly cheapestWayOut: string;
}

export interface LeftForLater {
  readonly moves: number;
  readonly savesPerMonth: number;
}

/** A target that ran out of something, and what one more TB (10^12 bytes) of room there would save, US dollars per month, at the margin. */
export interface FullPlace {
  readonly targetId: TargetId;
  readonly dollarsPerTbMonth: number;
}

/** The answer to the needs of the whole fleet. */
export interface Plan {
  readonly madeAtMs: number;
  readonly solver: string;
  readonly solvedInMs: number;
  readonly objectivePerMonth: number;
  readonly lowerBoundPerMonth: number;
  /** How far from the best the choice can be at most, as a share of the objective; what was left for later is no part of it. */
  readonly gap: number;
  /** Of the objective, its sum. */
  readonly parts: ObjectiveParts;
  readonly full: readonly FullPlace[];
  /** Of all that is scarce, where it was found by prices: a later plan begins with them. */
  readonly shadowPrices: readonly ShadowPrice[];
  /** Moves that pay and were left for a later plan, since this one is long enough. */
  readonly leftForLater: LeftForLater;
  readonly costBeforePerMonth: number;
  readonly costAfterPerMonth: number;
  readonly moves: readonly Move[];
  readonly infeasible: readonly Infeasible[];
}
