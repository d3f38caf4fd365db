import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, JobId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import type { Prices } from '@data-in-motion/shared/domain/price';
import type { ReplicaState } from '@data-in-motion/shared/domain/replica';
import type { TargetState, TierClass } from '@data-in-motion/shared/domain/target';
import { type DecisionSettings, type PlacementSettings } from '../fleet/decision-settings.ts';
import { freeBytes, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { type TargetHealth, targetHealth } from '../health/target-health.ts';
import { jobsOf } from '../reconcile/copies.ts';
import type { Move } from './plan.ts';

/**
 * What the moves of a plan rest on, as plain data: kept with the plan, and compared with the same of a later snapshot (`plan-differences.ts`), so that a
 * person who applies a plan gets what was shown or is told what has changed. Each thing stands once, however many moves it concerns.
 */
export interface PlanBasis {
  /** Revision of the price book. Told with a price that changed; a revision that changes none of these prices is no difference. */
  readonly priceRev: number;
  readonly settings: BasisSettings;
  /** Each policy in force once; datasets name theirs by place. */
  readonly policies: readonly Policy[];
  readonly datasets: Readonly<Record<DatasetId, DatasetBasis>>;
  readonly targets: Readonly<Record<TargetId, TargetBasis>>;
  /** What noise is in: kept to be told as it was, and no part of the digest. */
  readonly measured: Readonly<Record<TargetId, { readonly freeBytes: number; readonly latencyP95Ms: number | null }>>;
}

/** What a move for heat or cost was worked out with. */
export type BasisSettings = Pick<PlacementSettings, 'horizonDays' | 'dollarsPerReadSec'>;

export interface DatasetBasis {
  readonly versionId: VersionId | null;
  readonly sizeBytes: number;
  /** Place in `policies`. */
  readonly policy: number;
  readonly primaryReplicaId: ReplicaId | null;
  /** The class, not the score: it has a hysteresis of its own. */
  readonly heat: TierClass | null;
  readonly copies: Readonly<Record<ReplicaId, CopyBasis>>;
  /** Jobs under way that add, move or drop a copy; that one is only read back changes nothing. */
  readonly jobs: Readonly<Record<JobId, string>>;
}

export interface CopyBasis {
  readonly targetId: TargetId;
  readonly versionId: VersionId;
  readonly state: ReplicaState;
}

export interface TargetBasis {
  readonly state: TargetState;
  /** An agent that is late or has just come back is here: the moves wait for it. */
  readonly agent: 'here' | 'gone';
  /** `signs` a device under it gives signs and nothing is done about it now. Whose turn it is to be emptied changes while others are. */
  readonly risk: 'none' | 'signs' | 'held' | 'evacuated';
  /** A device under it is at risk or failing, whatever is done about it. */
  readonly deviceAtRisk: boolean;
  readonly prices: Prices | null;
  /** What policies and spreads ask of a place. */
  readonly place: Pick<TargetFacts, 'siteId' | 'nodeId' | 'provider' | 'region' | 'tier' | 'failureDomain' | 'encryptedAtRest'>;
}

/** The facts of a snapshot that these moves rest on. The same moves on the same facts give the same basis, to the byte. */
export function planBasisOf(
  snapshot: FleetSnapshot,
  heats: ReadonlyMap<DatasetId, Heat>,
  moves: readonly Pick<Move, 'datasetId' | 'fromTargetId' | 'toTargetId'>[],
  settings: DecisionSettings,
): PlanBasis {
  const fleet = indexOf(snapshot);
  const health = targetHealth(snapshot, settings);
  const policies: Policy[] = [];
  const known = new Map<string, number>();
  const policyPlace = (policy: Policy): number => {
    const text = JSON.stringify(policy);
    if (!known.has(text)) known.set(text, policies.push(policy) - 1);
    return known.get(text)!;
  };
  const datasets = [...new Set(moves.map((move) => move.datasetId))].sort().flatMap((datasetId) => fleet.datasets.get(datasetId) ?? []);
  const targetIds = new Set(moves.flatMap((move) => [move.fromTargetId, move.toTargetId].filter((targetId) => targetId !== null)));
  for (const dataset of datasets) for (const copy of dataset.replicas) targetIds.add(copy.targetId);
  const targets = [...targetIds].sort().flatMap((targetId) => fleet.targets.get(targetId) ?? []);
  const { horizonDays, dollarsPerReadSec } = settings.placement;
  return {
    priceRev: snapshot.priceRev,
    settings: { horizonDays, dollarsPerReadSec },
    datasets: Object.fromEntries(datasets.map((dataset) => [dataset.datasetId, datasetBasis(snapshot, dataset, heats, policyPlace)])),
    policies,
    targets: Object.fromEntries(targets.map((target) => [target.targetId, targetBasis(snapshot, target, health)])),
    measured: Object.fromEntries(targets.map((target) => [target.targetId, { freeBytes: freeBytes(target), latencyP95Ms: target.latencyP95Ms }])),
  };
}

/** All of a basis that is not a measurement, as one text: while it stays the same, so does what a person agreed to. */
export function basisText(basis: PlanBasis): string {
  const { measured: _, priceRev: __, ...rest } = basis;
  return JSON.stringify(rest);
}

function datasetBasis(
  snapshot: FleetSnapshot,
  dataset: DatasetFacts,
  heats: ReadonlyMap<DatasetId, Heat>,
  policyPlace: (policy: Policy) => number,
): DatasetBasis {
  const { datasetId, versionId, sizeBytes, policy, primaryReplicaId, replicas } = dataset;
  const jobs = (jobsOf(snapshot).get(datasetId) ?? []).filter((job) => job.purpose !== 'verify');
  return {
    versionId,
    sizeBytes,
    policy: policyPlace(policy),
    primaryReplicaId,
    heat: heats.get(datasetId)?.class ?? null,
    copies: Object.fromEntries(replicas.map((copy) => [copy.replicaId, { targetId: copy.targetId, versionId: copy.versionId, state: copy.state }])),
    jobs: Object.fromEntries(jobs.map((job) => [job.jobId, job.purpose])),
  };
}

function targetBasis(snapshot: FleetSnapshot, target: TargetFacts, health: ReadonlyMap<TargetId, TargetHealth>): TargetBasis {
  const { state, prices, siteId, nodeId, provider, region, tier, failureDomain, encryptedAtRest } = target;
  const agent = indexOf(snapshot).nodes.get(nodeId)?.agentState;
  const evacuation = health.get(target.targetId)?.evacuation ?? null;
  return {
    state,
    agent: agent === 'online' || agent === 'late' || agent === 'returned' ? 'here' : 'gone',
    deviceAtRisk: target.deviceIds.some((deviceId) => ['at-risk', 'failing'].includes(indexOf(snapshot).devices.get(deviceId)?.level ?? '')),
    risk: evacuation === null ? 'none' : evacuation === 'evacuated' || evacuation === 'held' ? evacuation : 'signs',
    prices,
    place: { siteId, nodeId, provider, region, tier, failureDomain, encryptedAtRest },
  };
}
