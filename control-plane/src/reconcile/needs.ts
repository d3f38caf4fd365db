import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, DeviceId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { defaultDecisionSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts } from '../fleet/snapshot.ts';
import { type TargetHealth, targetHealth } from '../health/target-health.ts';
import { type PolicyRule, violationsOfExistingCopy } from '../policy/violations.ts';
import { type Copies, copiesOf } from './copies.ts';
import { fasterCopies } from './promotions.ts';
import { worstFirst } from './surplus.ts';

/**
 * One difference between what policy wants and what is, about one copy.
 * `add` one copy more · `leave` the named copy shall be somewhere else · `drop` the named copy shall go, the others suffice.
 */
export interface Need {
  readonly kind: 'add-copy' | 'drop-copy' | 'evacuate-device' | 'replace-bad-copy' | 'drop-stale-copy' | 'leave-forbidden-place';
  readonly answer: 'add' | 'leave' | 'drop';
  readonly datasetId: DatasetId;
  /** The copy it is about; null for a copy that is not there yet. */
  readonly replicaId: ReplicaId | null;
  readonly deviceId: DeviceId | null;
  /** The rules that are broken, for `leave`. */
  readonly rules: readonly PolicyRule[];
  readonly reason: string;
}

const urgency: Readonly<Record<Need['kind'], number>> = {
  'add-copy': 0,
  'replace-bad-copy': 0,
  'evacuate-device': 1,
  'leave-forbidden-place': 2,
  'drop-stale-copy': 3,
  'drop-copy': 3,
};

/**
 * What the fleet needs so that every policy is met, most urgent first and among equals the hottest dataset first.
 * Work under way by a job counts as done, so the same snapshot with the answering jobs in it has no such need any more.
 * Copies are added before any is dropped: nothing is dropped while fewer than the wanted copies are verified in good places, and never the primary.
 */
export function fleetNeeds(snapshot: FleetSnapshot, heats: ReadonlyMap<DatasetId, Heat>, settings: RiskSettings = defaultDecisionSettings): Need[] {
  const health = targetHealth(snapshot, settings);
  return mostUrgentFirst(
    snapshot.datasets.flatMap((dataset) => datasetNeeds(snapshot, dataset, health)),
    heats,
  );
}

/** The needs of all datasets in the order in which they are answered; those of one dataset stay in theirs. */
export function mostUrgentFirst(needs: readonly Need[], heats: ReadonlyMap<DatasetId, Heat>): Need[] {
  const heatOf = (need: Need): number => heats.get(need.datasetId)?.score ?? 0;
  return [...needs].sort(
    (a, b) => urgency[a.kind] - urgency[b.kind] || heatOf(b) - heatOf(a) || (a.datasetId < b.datasetId ? -1 : a.datasetId > b.datasetId ? 1 : 0),
  );
}

/** What one dataset needs; nothing before its first version is committed. */
export function datasetNeeds(snapshot: FleetSnapshot, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>): Need[] {
  if (dataset.versionId === null) return [];
  const copies = copiesOf(snapshot, dataset, health);
  const misplaced = misplacedCopies(snapshot, dataset, copies, health);
  const away = new Set(misplaced.map((need) => need.replicaId));
  const settled = copies.counted.filter((replica) => !away.has(replica.replicaId));
  const enough = settled.length >= dataset.policy.copies;
  const open = Math.max(0, dataset.policy.copies - settled.length - copies.comingTo.length);

  const leave = leaving(dataset, misplaced, open);
  const missing = Math.max(0, open - misplaced.length);
  const mayGo = (replica: ReplicaFacts): boolean =>
    replica.replicaId !== dataset.primaryReplicaId && !copies.inTheMaking.has(replica.replicaId) && health.get(replica.targetId)?.mayLetGo === true;
  const byId = new Map(dataset.replicas.map((replica) => [replica.replicaId, replica]));
  return [
    ...addNeeds(dataset, copies, missing),
    ...leave,
    // Everything below takes something away, and waits until the wanted copies stand verified in good places.
    ...(enough
      ? misplaced
          .filter((need) => !leave.includes(need) && need.replicaId !== null && mayGo(byId.get(need.replicaId)!))
          .map((need): Need => ({ ...need, answer: 'drop', reason: `${need.reason}; the other ${settled.length} copies suffice` }))
      : []),
    ...(enough
      ? copies.bad
          .filter(mayGo)
          .map((replica) =>
            dropNeed(dataset, replica, 'replace-bad-copy', `the copy on ${replica.targetId} is ${replica.state}, and ${settled.length} verified copies stand`),
          )
      : []),
    // While files are missing from the present version, an older copy may be the only one that has them.
    ...(enough && dataset.unreadable === 0
      ? copies.stale
          .filter(mayGo)
          .map((replica) => dropNeed(dataset, replica, 'drop-stale-copy', `the copy on ${replica.targetId} is of ${ageOf(dataset, replica)}`))
      : []),
    ...(settled.length > dataset.policy.copies ? worstFirst(snapshot, dataset, settled.filter(mayGo), settled) : [])
      .slice(0, Math.max(0, settled.length - dataset.policy.copies))
      .map((replica) =>
        dropNeed(
          dataset,
          replica,
          'drop-copy',
          `${settled.length} verified copies stand, ${dataset.policy.copies} are wanted; the one on ${replica.targetId} adds the least`,
        ),
      ),
  ];
}

/** Those that leave now, to fill so many places. A copy that is only to go to a pinned place fills its own: for its sake no other leaves. */
function leaving(dataset: DatasetFacts, misplaced: readonly Need[], open: number): Need[] {
  const isPrimary = (need: Need): boolean => need.replicaId === dataset.primaryReplicaId;
  const loose = misplaced.filter((need) => need.rules.includes('pinned-targets'));
  const others = misplaced.filter((need) => !loose.includes(need)).filter((need, place) => place < open - loose.length || isPrimary(need));
  return [...others, ...loose.filter((need, place) => place < open - others.length || isPrimary(need))];
}

function addNeeds(dataset: DatasetFacts, copies: Copies, missing: number): Need[] {
  // Before the first copy is verified there is nothing to copy from, and the job that makes it is under way.
  const nothingYet = copies.counted.length + copies.leaving.length === 0 && copies.comingTo.length > 0;
  if (nothingYet) return [];
  return Array.from({ length: missing }, (_, place): Need => {
    const bad = copies.bad[place];
    const have = `${copies.counted.length} of ${dataset.policy.copies} wanted copies are verified in places that count`;
    if (bad === undefined)
      return { kind: 'add-copy', answer: 'add', datasetId: dataset.datasetId, replicaId: null, deviceId: null, rules: ['copies'], reason: have };
    return {
      kind: 'replace-bad-copy',
      answer: 'add',
      datasetId: dataset.datasetId,
      replicaId: bad.replicaId,
      deviceId: null,
      rules: ['copies'],
      reason: `the copy on ${bad.targetId} is ${bad.state}; ${have}`,
    };
  });
}

/** Copies that are whole and stand where they should not, as `leave` needs: the primary first, since it can only move; then what is most at risk. */
function misplacedCopies(snapshot: FleetSnapshot, dataset: DatasetFacts, copies: Copies, health: ReadonlyMap<TargetId, TargetHealth>): Need[] {
  const fleet = indexOf(snapshot);
  const leaveNeed = (replica: ReplicaFacts, kind: Need['kind'], rules: readonly PolicyRule[], reason: string, deviceId: DeviceId | null): Need => ({
    kind,
    answer: 'leave',
    datasetId: dataset.datasetId,
    replicaId: replica.replicaId,
    deviceId,
    rules,
    reason,
  });
  const draining = copies.leaving.map((replica) => {
    const place = health.get(replica.targetId)!;
    const risky = place.evacuation === 'evacuated';
    return leaveNeed(
      replica,
      risky ? 'evacuate-device' : 'leave-forbidden-place',
      [risky ? 'risky-device' : 'not-usable'],
      place.reason ?? `${replica.targetId} is being emptied`,
      risky ? place.riskyDeviceId : null,
    );
  });
  const forbidden = copies.counted.flatMap((replica) => {
    const target = fleet.targets.get(replica.targetId);
    if (target === undefined || health.get(replica.targetId)?.mayLetGo !== true) return [];
    // A primary that is only too slow changes its role with a copy that is fast enough, when there is one: no byte moves.
    const role = replica.replicaId === dataset.primaryReplicaId && fasterCopies(snapshot, dataset, copies).length === 0 ? 'primary' : 'copy';
    const broken = violationsOfExistingCopy(dataset.policy, target, role);
    if (broken.length === 0) return [];
    return [
      leaveNeed(
        replica,
        'leave-forbidden-place',
        broken.map((violation) => violation.rule),
        broken.map((violation) => violation.text).join('; '),
        null,
      ),
    ];
  });
  const gone = new Set([...draining, ...forbidden].map((need) => need.replicaId));
  const standing = copies.counted.filter((replica) => !gone.has(replica.replicaId));
  const crowded = crowdedCopies(snapshot, dataset, standing)
    .filter((replica) => health.get(replica.targetId)?.mayLetGo === true)
    .map((replica) =>
      leaveNeed(replica, 'leave-forbidden-place', ['spread'], `another copy is at the same ${dataset.policy.spread} as the one on ${replica.targetId}`, null),
    );
  const unpinned = pinsWithoutCopy(dataset, standing, copies).map((replica) =>
    leaveNeed(
      replica,
      'leave-forbidden-place',
      ['pinned-targets'],
      `a copy is pinned to ${dataset.policy.pinnedTargets.join(', ')}, the one on ${replica.targetId} is to be it`,
      null,
    ),
  );
  const isPrimary = (need: Need): number => (need.replicaId === dataset.primaryReplicaId ? 0 : 1);
  const once = new Map([...unpinned, ...crowded, ...forbidden, ...draining].map((need) => [need.replicaId, need]));
  return [...once.values()].reverse().sort((a, b) => isPrimary(a) - isPrimary(b));
}

/** All but one copy of each spread domain; the primary stays, else the oldest. */
function crowdedCopies(snapshot: FleetSnapshot, dataset: DatasetFacts, standing: readonly ReplicaFacts[]): ReplicaFacts[] {
  const fleet = indexOf(snapshot);
  const seen = new Set<string>();
  const primaryFirst = [...standing].sort(
    (a, b) => Number(b.replicaId === dataset.primaryReplicaId) - Number(a.replicaId === dataset.primaryReplicaId) || a.createdAtMs - b.createdAtMs,
  );
  return primaryFirst.filter((replica) => {
    const target = fleet.targets.get(replica.targetId);
    const domain = target === undefined ? replica.targetId : domainOf(target, dataset.policy.spread);
    if (seen.has(domain)) return true;
    seen.add(domain);
    return false;
  });
}

/** Copies to take to pinned targets that have none, when no missing copy will be made there anyway. The primary last. */
function pinsWithoutCopy(dataset: DatasetFacts, standing: readonly ReplicaFacts[], copies: Copies): ReplicaFacts[] {
  const held = new Set<TargetId>([...standing.map((replica) => replica.targetId), ...copies.comingTo]);
  const empty = dataset.policy.pinnedTargets.filter((targetId) => !held.has(targetId)).length;
  const toBeMade = Math.max(0, dataset.policy.copies - standing.length - copies.comingTo.length);
  const loose = standing
    .filter((replica) => !dataset.policy.pinnedTargets.includes(replica.targetId))
    .sort((a, b) => Number(a.replicaId === dataset.primaryReplicaId) - Number(b.replicaId === dataset.primaryReplicaId));
  return loose.slice(0, Math.max(0, empty - toBeMade));
}

function ageOf(dataset: DatasetFacts, replica: ReplicaFacts): string {
  return replica.versionId < dataset.versionId! ? 'an older version' : 'a version that readers were never sent to';
}

function dropNeed(dataset: DatasetFacts, replica: ReplicaFacts, kind: Need['kind'], reason: string): Need {
  return { kind, answer: 'drop', datasetId: dataset.datasetId, replicaId: replica.replicaId, deviceId: null, rules: [], reason };
}
