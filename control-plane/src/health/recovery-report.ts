import type { DatasetId, DeviceId, NodeId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { asHeldBy, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';

/** What may die at once. */
export type Disaster =
  | { readonly kind: 'device'; readonly id: DeviceId }
  | { readonly kind: 'node'; readonly id: NodeId }
  | { readonly kind: 'site'; readonly id: SiteId };
export const disasterKinds = ['device', 'node', 'site'] as const;

/** What would be left of a dataset after a disaster. */
export interface Outcome {
  readonly kind: Disaster['kind'];
  readonly id: string;
  /** Verified copies of the present version that stay within reach. */
  readonly copiesLeft: number;
  /** Readers use a copy that stays. */
  readonly readersGoOn: boolean;
  /** The newest version of which a verified copy stays; null: nothing stays. */
  readonly versionId: VersionId | null;
  /** Recovery point: when that version was made. What was written later is in no copy that stays. */
  readonly pointAtMs: number | null;
  /** How much older it is than the version that readers have now; 0 for the same one, null when nothing stays. */
  readonly behindMs: number | null;
  /** The fastest place that still has it. */
  readonly bestTargetId: TargetId | null;
  /** Recovery time: reading all of it there at the measured pace; null when nothing stays, or nothing was measured. */
  readonly restoreMs: number | null;
}

export interface DatasetRecovery {
  readonly datasetId: DatasetId;
  readonly sizeBytes: number;
  readonly copiesWanted: number;
  /** The worst device, node and site to lose, in this order; a kind under which no copy lies is left out. */
  readonly worst: readonly Outcome[];
}

/** All that one disaster would do. */
export interface DisasterReport {
  readonly kind: Disaster['kind'];
  readonly id: string;
  readonly datasets: number;
  /** Datasets of which nothing would be left, those that would go back to an older version, and those that would be short of copies. */
  readonly lost: number;
  readonly setBack: number;
  readonly short: number;
  readonly lostBytes: number;
  /** The longest time to read one of them back; null when none was measured. */
  readonly restoreMs: number | null;
}

export interface RecoveryReport {
  readonly atMs: number;
  readonly disasters: readonly DisasterReport[];
  readonly datasets: readonly DatasetRecovery[];
}

/**
 * Recovery point and time of every dataset when a device, a node or a site is lost, from where its verified copies are.
 * Only what was read back and can be reached now is relied on; a target is lost with any of its devices.
 */
export function recoveryReport(snapshot: FleetSnapshot): RecoveryReport {
  const byDisaster = new Map<string, { outcome: Outcome; dataset: DatasetFacts }[]>();
  const datasets = snapshot.datasets
    .filter((dataset) => dataset.versionId !== null)
    .map((dataset): DatasetRecovery => {
      const outcomes = disastersOf(snapshot, dataset).map((disaster) => outcomeOf(snapshot, dataset, disaster));
      for (const outcome of outcomes) {
        const key = `${outcome.kind} ${outcome.id}`;
        const list = byDisaster.get(key);
        if (list === undefined) byDisaster.set(key, [{ outcome, dataset }]);
        else list.push({ outcome, dataset });
      }
      const worst = disasterKinds.flatMap((kind) => outcomes.filter((outcome) => outcome.kind === kind).sort(worstFirst)[0] ?? []);
      return { datasetId: dataset.datasetId, sizeBytes: dataset.sizeBytes, copiesWanted: dataset.policy.copies, worst };
    });
  const disasters = [...byDisaster.values()]
    .map(disasterReport)
    .sort(
      (a, b) => b.lost - a.lost || b.setBack - a.setBack || b.short - a.short || b.datasets - a.datasets || compare(`${a.kind} ${a.id}`, `${b.kind} ${b.id}`),
    );
  return { atMs: snapshot.takenAtMs, disasters, datasets };
}

/** What would be left of one dataset. */
export function outcomeOf(snapshot: FleetSnapshot, dataset: DatasetFacts, disaster: Disaster): Outcome {
  const { targets } = indexOf(snapshot);
  const left = dataset.replicas.filter((replica) => {
    const target = targets.get(replica.targetId);
    return target !== undefined && replica.state === 'verified' && canBeReached(snapshot, target) && !isHit(target, disaster);
  });
  const current = left.filter((replica) => replica.versionId === dataset.versionId);
  const newest = current.length > 0 ? dataset.versionId! : newestVersion(dataset, left);
  const usable = left.filter((replica) => replica.versionId === newest);
  const best = usable
    .map((replica) => targets.get(replica.targetId)!)
    .sort((a, b) => (b.readBytesPerSec ?? 0) - (a.readBytesPerSec ?? 0) || compare(a.targetId, b.targetId))[0];
  const pointAtMs = newest === null ? null : madeAtMs(dataset, newest);
  return {
    kind: disaster.kind,
    id: disaster.id,
    copiesLeft: current.length,
    readersGoOn: current.some((replica) => replica.replicaId === dataset.primaryReplicaId),
    versionId: newest,
    pointAtMs,
    behindMs: pointAtMs === null ? null : Math.max(0, madeAtMs(dataset, dataset.versionId!) - pointAtMs),
    bestTargetId: best?.targetId ?? null,
    restoreMs: best?.readBytesPerSec ? Math.ceil((asHeldBy(dataset, usable[0]!).sizeBytes / best.readBytesPerSec) * 1000) : null,
  };
}

/** What to fall back on when a device dies before its copies have left, in words. */
export function backupPlan(snapshot: FleetSnapshot, dataset: DatasetFacts, deviceId: DeviceId): string {
  const outcome = outcomeOf(snapshot, dataset, { kind: 'device', id: deviceId });
  if (outcome.versionId === null) return `if ${deviceId} dies before, nothing of ${dataset.datasetId} is left: this is its only copy, so copy it now`;
  const made = `made ${new Date(outcome.pointAtMs!).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const time = outcome.restoreMs === null ? 'its pace was never measured' : `all of it can be read there in ${spanText(outcome.restoreMs)}`;
  if (outcome.copiesLeft === 0)
    return `if ${deviceId} dies before, only an older version (${made}) is left on ${outcome.bestTargetId}: what was written since would be lost; ${time}`;
  const copies = outcome.copiesLeft === 1 ? 'one verified copy stays' : `${outcome.copiesLeft} verified copies stay`;
  return `if ${deviceId} dies before, ${copies} and nothing is lost of the version ${made}: go on from ${outcome.bestTargetId}, ${time}`;
}

/** Everything under which a copy of the dataset lies. */
function disastersOf(snapshot: FleetSnapshot, dataset: DatasetFacts): Disaster[] {
  const { targets } = indexOf(snapshot);
  const found = new Map<string, Disaster>();
  for (const replica of dataset.replicas) {
    const target = targets.get(replica.targetId);
    if (target === undefined || replica.state !== 'verified') continue;
    for (const id of target.deviceIds) found.set(`device ${id}`, { kind: 'device', id });
    found.set(`node ${target.nodeId}`, { kind: 'node', id: target.nodeId });
    found.set(`site ${target.siteId}`, { kind: 'site', id: target.siteId });
  }
  return [...found.values()];
}

function isHit(target: TargetFacts, disaster: Disaster): boolean {
  if (disaster.kind === 'device') return target.deviceIds.includes(disaster.id);
  return disaster.kind === 'node' ? target.nodeId === disaster.id : target.siteId === disaster.id;
}

function canBeReached(snapshot: FleetSnapshot, target: TargetFacts): boolean {
  const agent = indexOf(snapshot).nodes.get(target.nodeId)?.agentState;
  return target.state !== 'lost' && (agent === 'online' || agent === 'late' || agent === 'returned');
}

/** Of versions older than the present one; names of versions grow with time. */
function newestVersion(dataset: DatasetFacts, left: readonly ReplicaFacts[]): VersionId | null {
  const older = left.filter((replica) => replica.versionId < dataset.versionId!).map((replica) => replica.versionId);
  return older.sort(compare).at(-1) ?? null;
}

/** The present version has its time on record; of an older one the first copy that is still known tells about when. */
function madeAtMs(dataset: DatasetFacts, versionId: VersionId): number {
  if (versionId === dataset.versionId && dataset.versionMadeAtMs !== null) return dataset.versionMadeAtMs;
  return Math.min(...dataset.replicas.flatMap((replica) => (replica.versionId === versionId ? [replica.createdAtMs] : [])));
}

function worstFirst(a: Outcome, b: Outcome): number {
  return (
    a.copiesLeft - b.copiesLeft ||
    (b.behindMs ?? Number.POSITIVE_INFINITY) - (a.behindMs ?? Number.POSITIVE_INFINITY) ||
    (b.restoreMs ?? 0) - (a.restoreMs ?? 0) ||
    compare(a.id, b.id)
  );
}

function disasterReport(hits: readonly { outcome: Outcome; dataset: DatasetFacts }[]): DisasterReport {
  const { kind, id } = hits[0]!.outcome;
  const lost = hits.filter(({ outcome }) => outcome.versionId === null);
  const times = hits.flatMap(({ outcome }) => outcome.restoreMs ?? []);
  return {
    kind,
    id,
    datasets: hits.length,
    lost: lost.length,
    setBack: hits.filter(({ outcome }) => outcome.versionId !== null && outcome.copiesLeft === 0).length,
    short: hits.filter(({ outcome, dataset }) => outcome.copiesLeft < dataset.policy.copies).length,
    lostBytes: lost.reduce((sum, { dataset }) => sum + dataset.sizeBytes, 0),
    restoreMs: times.length === 0 ? null : Math.max(...times),
  };
}

/** One digit: a measured pace says no more, and a plan shall not change with every measurement. */
function spanText(ms: number): string {
  for (const [unit, name] of [
    [86_400_000, 'days'],
    [3_600_000, 'hours'],
    [60_000, 'minutes'],
  ] as const)
    if (ms >= 2 * unit) return `about ${Number((ms / unit).toPrecision(1))} ${name}`;
  return ms >= 60_000 ? 'about a minute' : 'less than a minute';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
