import type { AgentState } from '@data-in-motion/shared/domain/agent-health';
import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import type { PastUse, WindowCounts } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, DeviceId, JobId, NodeId, PlanId, ReplicaId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { JobPurpose, JobState } from '@data-in-motion/shared/domain/job';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import type { Prices } from '@data-in-motion/shared/domain/price';
import type { ReplicaState } from '@data-in-motion/shared/domain/replica';
import type { LocationKind, TargetState, TierClass } from '@data-in-motion/shared/domain/target';

/** The one view that decisions read: plain data, taken in one transaction. The same snapshot gives the same answer. */
export interface FleetSnapshot {
  readonly takenAtMs: number;
  readonly globalPolicy: Policy;
  /** Revision of the price book that the targets' prices are from. */
  readonly priceRev: number;
  readonly nodes: readonly NodeFacts[];
  readonly devices: readonly DeviceFacts[];
  readonly targets: readonly TargetFacts[];
  readonly datasets: readonly DatasetFacts[];
  /** Only jobs that are not ended. */
  readonly jobs: readonly JobFacts[];
  /** What plans keep for moves of theirs that are not jobs yet. */
  readonly holds: readonly PlanHold[];
  /** Of the current plan: where the next one begins to look. They are no part of what is right. */
  readonly shadowPrices: readonly ShadowPrice[];
}

/** What a target can run out of: room, bytes read a month, requests a month. */
export type ScarceResource = 'bytes' | 'readBytes' | 'requests';

/** What one more unit of something scarce would save, US dollars a month, at the margin. */
export interface ShadowPrice {
  readonly targetId: TargetId;
  readonly resource: ScarceResource;
  readonly dollarsPerUnit: number;
}

export interface NodeFacts {
  readonly nodeId: NodeId;
  readonly siteId: SiteId;
  readonly agentState: AgentState;
  readonly lastHeardAtMs: number | null;
  readonly incarnation: number;
}

export interface DeviceFacts {
  readonly deviceId: DeviceId;
  readonly nodeId: NodeId;
  readonly level: RiskLevel;
  readonly probability: number | null;
  readonly horizonDays: number;
  /** Since when the level is what it is; many that change at once are the observer's fault. */
  readonly levelSinceMs: number | null;
  readonly assessedAtMs: number | null;
  /** Name and version of what judged; empty before it was judged. */
  readonly judge: string;
  /** A rule's level decides; a model's probability is weighed. */
  readonly judgeKind: 'rule' | 'model';
  /** Since when this version judges the device; null when that is not known. */
  readonly judgeSinceMs: number | null;
  /** The drive itself says that it is failing. */
  readonly saysItFails: boolean;
  /** Since when its copies are leaving, as decided last, for hysteresis; null when they are not. */
  readonly evacuatingSinceMs: number | null;
  readonly reasons: readonly string[];
}

export interface TargetFacts {
  readonly targetId: TargetId;
  readonly nodeId: NodeId;
  readonly siteId: SiteId;
  readonly state: TargetState;
  readonly tier: TierClass;
  readonly locationKind: LocationKind;
  readonly provider: string;
  readonly region: string;
  readonly failureDomain: string;
  readonly encryptedAtRest: boolean;
  readonly priceClass: string;
  /** Null when the price book does not know the class: such a target takes nothing new. */
  readonly prices: Prices | null;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly reserveBytes: number;
  /** Promised to jobs under way. */
  readonly reservedBytes: number;
  /** p95 to first byte, null until measured. */
  readonly latencyP95Ms: number | null;
  readonly readBytesPerSec: number | null;
  readonly writeBytesPerSec: number | null;
  /** Most that readers may send; null where no limit is known. */
  readonly requestsPerSec: number | null;
  readonly deviceIds: readonly DeviceId[];
}

export interface ReplicaFacts {
  readonly replicaId: ReplicaId;
  readonly versionId: VersionId;
  readonly targetId: TargetId;
  readonly state: ReplicaState;
  readonly verifiedAtMs: number | null;
  readonly createdAtMs: number;
}

/** How large a version is, as its manifest says. */
export interface VersionSize {
  readonly versionId: VersionId;
  readonly objects: number;
  readonly sizeBytes: number;
}

export interface DatasetFacts {
  readonly datasetId: DatasetId;
  readonly owner: string;
  readonly rev: number;
  /** The policy in force: global with the dataset's own fields over it. */
  readonly policy: Policy;
  /** Null until the first import is committed. */
  readonly versionId: VersionId | null;
  /** When that version was made; null before the first, or when it is not known. */
  readonly versionMadeAtMs: number | null;
  /** Of that version; a copy of another one holds something else, see `asHeldBy`. */
  readonly objects: number;
  readonly sizeBytes: number;
  /** Files that could not be read when the present version was made: it does not take the place of an older one. */
  readonly unreadable: number;
  readonly primaryReplicaId: ReplicaId | null;
  readonly pointerRev: number;
  /** Of all versions, in any state but purged and abandoned. */
  readonly replicas: readonly ReplicaFacts[];
  /** Versions beside the current one of which there are copies; absent where there are none, as it mostly is. */
  readonly otherVersions?: readonly VersionSize[];
  /** Counted from stored accesses, ending at the snapshot's time. */
  readonly windows: readonly WindowCounts[];
  /** Counted over more days than the windows; null where less than a day of it is known, or nothing was counted. */
  readonly pastUse: PastUse | null;
  readonly lastAccessAtMs: number | null;
  readonly ewmaPerHour: number;
  /** The class decided last, for hysteresis; null before the first decision. */
  readonly heatClass: TierClass | null;
  readonly heatDecidedAtMs: number | null;
  /** When a copy of it last moved for heat or cost. */
  readonly lastMovedAtMs: number | null;
  readonly createdAtMs: number;
}

export interface JobFacts {
  readonly jobId: JobId;
  readonly key: string;
  readonly datasetId: DatasetId;
  readonly purpose: JobPurpose;
  readonly state: JobState;
  readonly fromReplicaId: ReplicaId | null;
  readonly fromTargetId: TargetId | null;
  readonly toReplicaId: ReplicaId | null;
  readonly toTargetId: TargetId | null;
  /** The agent that does the work. */
  readonly moverNodeId: NodeId;
  /** Where the bytes come from; null where that is not known yet, or no bytes travel. */
  readonly sourceNodeId: NodeId | null;
  readonly sizeBytes: number;
}

/** A plan that a person looks at, or that is being carried out: the room it was promised, and the datasets that are left to it. */
export interface PlanHold {
  readonly planId: PlanId;
  /** Until when the room is held for one that is only looked at; null while it is being carried out. */
  readonly untilMs: number | null;
  /** By target: bytes of its moves that are not jobs yet. */
  readonly bytes: Readonly<Record<TargetId, number>>;
  /** Those of its moves that wait or are being copied; empty for a plan that is only looked at. */
  readonly datasetIds: readonly DatasetId[];
}
