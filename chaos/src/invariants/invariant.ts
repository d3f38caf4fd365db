import type { ConsistencyView } from '@data-in-motion/shared/api/operations';
import type { RouteCaller } from '@data-in-motion/shared/api/route-caller';

/** What a promise is checked against: the fleet's own words, and the bytes on its disks. */
export interface Witness {
  readonly api: RouteCaller;
  /** Every dataset that had a committed version when it was last asked; kept over the death of a control plane. */
  readonly known: readonly KnownDataset[];
  /** Targets whose directories can be read from here. */
  readonly targets: readonly KnownTarget[];
  /** Experiments that this run made. */
  readonly experimentIds: readonly string[];
  /** Datasets that this run made. */
  readonly datasetIds: readonly string[];
  /** Sequence of the newest event when the run began. */
  readonly sinceSeq: number;
  /** How telemetry stood when the run began: what was lost before is not the run's. */
  readonly consistencyBefore: ConsistencyView;
}

export interface KnownDataset {
  readonly datasetId: string;
  readonly root: string;
  readonly versionId: string;
}

export interface KnownTarget {
  readonly targetId: string;
  readonly nodeId: string;
  readonly root: string;
}

export interface Finding {
  readonly holds: boolean;
  /** What was looked at and, when it does not hold, where. */
  readonly detail: string;
}

export interface Invariant {
  readonly says: string;
  /** `always` also while faults are armed and processes are dead; `healed` once the fleet had its time. */
  readonly when: 'always' | 'healed';
  check(witness: Witness): Promise<Finding>;
}
