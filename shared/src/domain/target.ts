import type { DeviceId, NodeId, SiteId, TargetId } from './ids.ts';

export const tierClasses = ['hot', 'warm', 'cold'] as const;
export type TierClass = (typeof tierClasses)[number];

export const locationKinds = ['on-premises', 'private-cloud', 'public-cloud'] as const;
export type LocationKind = (typeof locationKinds)[number];

/** `ok` takes data · `draining` gives it away · `frozen` nothing destructive happens · `lost` its node is gone or it can not be reached. */
export const targetStates = ['ok', 'draining', 'frozen', 'lost'] as const;
export type TargetState = (typeof targetStates)[number];

/** What a node's operator declares in the agent's settings; the agent reports it when it starts. */
export interface TargetDescription {
  readonly targetId: TargetId;
  readonly store: 'posix';
  /** Absolute directory on the node. */
  readonly root: string;
  readonly tier: TierClass;
  readonly locationKind: LocationKind;
  readonly provider: string;
  readonly region: string;
  /** What fails together below the node: a rack, an enclosure. */
  readonly failureDomain: string;
  readonly encryptedAtRest: boolean;
  readonly priceClass: string;
  /** Upper bound of what we may use; the file system's own size where it is null. */
  readonly capacityBytes: number | null;
  /** Never filled below this. */
  readonly reserveBytes: number;
  readonly deviceIds: readonly DeviceId[];
  /** What the medium and its way add to a measured access; 0 for what is measured whole. Stated by the operator for places that are simulated on one machine. */
  readonly addedLatencyMs: number;
  /** Most requests a second that readers may send it, as its operator or its provider says; null or left out where no limit is known. */
  readonly requestsPerSec?: number | null | undefined;
}

/** Measured by the agent on the target itself. */
export interface TargetStats {
  readonly targetId: TargetId;
  readonly atMs: number;
  readonly reachable: boolean;
  readonly unreachableBecause: string | null;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  /** Time to first byte of a small read; null until measured. */
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly readBytesPerSec: number | null;
  readonly writeBytesPerSec: number | null;
}

export interface Place {
  readonly nodeId: NodeId;
  readonly siteId: SiteId;
}
