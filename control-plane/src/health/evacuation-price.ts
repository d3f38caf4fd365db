import type { DatasetId, DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import { bytesPerGb } from '@data-in-motion/shared/domain/price';
import { copyOnce, daysPerMonth, leaveOnce } from '../fleet/copy-cost.ts';
import type { EvacuationSettings } from '../fleet/decision-settings.ts';
import { currentReplicas, freeBytes, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, DeviceFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';

/**
 * Whether emptying a drive pays. Two sums in US dollars are compared:
 *
 *     leaving = excess × ( Σ loss + Σ repair + dollarsPerUnplannedRepair )       what is to be expected when it is left as it is
 *     moving  = Σ move + dollarsPerEvacuation                                         what is spent for certain
 *
 * over the datasets with a verified copy of the present version on it, with
 *
 *     excess = how much likelier it fails within its horizon than any drive does: 1 − (1 − yearlyFailures)^(days / 365). Bytes that move
 *              are on another drive afterwards, and that much is expected to be lost there too.
 *     loss   = GB × dollarsPerGbLost × chance that no other verified copy outlives the time until the copy is made again
 *     repair = copying once more (as `move`, without what leaving its place costs) + hours short of a copy × dollarsPerDegradedHour
 *     move   = requests, retrieval and egress by the price book (of another copy, where one can be read) + rest of the minimum days
 *              + GB × dollarsPerGbWritten + seconds × dollarsPerCopySec
 *
 * The time until the copies are made again is `repairDelayMs` and all bytes of the drive at `copyBytesPerSec`, one dataset after the other.
 * In that time T another copy is lost with
 *
 *     1 − (1 − p)^(T / horizon)       p of its drives, and never less than any drive's: more than half of all failures give no sign,
 *                                     so a drive that looks well is not thereby a better one
 *     followShare × T / followDays    where that is more and another copy of the dataset, or this drive, is in the same failure domain or node:
 *                                     at Alibaba a third of the failures of SSDs followed one in the same rack within 7 days
 *                                     (Han et al., An In-Depth Study of Correlated Failures in Production SSD-Based Data Centers, FAST 2021);
 *                                     taken as one neighbour's chance this is more than it can be, so that neighbours count for little
 *
 * and the chances are multiplied. Two copies that share a drive are one. Copies on nodes that are lost count for nothing.
 * What this does not know: that the surviving copy has a sector that can not be read, and that sites burn. Nothing here changes how many copies are
 * wanted: it only says whether one is made again before or after its drive dies.
 */
export interface EvacuationPrice {
  readonly leavingDollars: number;
  readonly movingDollars: number;
  /** Bytes that would move. */
  readonly bytes: number;
}

/** What is at stake on a drive, however likely it is to fail. */
export interface Stake {
  readonly deviceId: DeviceId;
  readonly bytes: number;
  readonly datasets: readonly DatasetStake[];
}

/** One dataset's share in it, US dollars: `loss` and `repair` when the drive dies, `move` when it is emptied before. */
export interface DatasetStake {
  readonly datasetId: DatasetId;
  readonly sizeBytes: number;
  /** Other verified copies, on drives of their own. */
  readonly others: number;
  readonly lossDollars: number;
  readonly repairDollars: number;
  readonly moveDollars: number;
}

const dayMs = 86_400_000;

/** What emptying the drive costs and saves at a probability of failing within its horizon; `begun`: what each evacuation costs is spent already. */
export function priceEvacuation(
  stake: Stake,
  device: { readonly probability: number; readonly horizonDays: number },
  settings: EvacuationSettings,
  stage: 'new' | 'begun',
): EvacuationPrice {
  const sum = (part: (one: DatasetStake) => number): number => stake.datasets.reduce((total, one) => total + part(one), 0);
  const excess = Math.max(0, device.probability - anyDrives(settings, device.horizonDays));
  const whenItDies = sum((one) => one.lossDollars + one.repairDollars) + settings.dollarsPerUnplannedRepair;
  return {
    leavingDollars: stake.datasets.length === 0 ? 0 : excess * whenItDies,
    movingDollars: sum((one) => one.moveDollars) + (stage === 'new' ? settings.dollarsPerEvacuation : 0),
    bytes: stake.bytes,
  };
}

/** Whether it begins to be emptied, or goes on being so. Nothing to move never pays. */
export function evacuationPays(price: EvacuationPrice, settings: EvacuationSettings, stage: 'new' | 'begun'): boolean {
  if (price.bytes === 0) return false;
  return stage === 'new' ? price.leavingDollars > price.movingDollars * settings.margin : price.leavingDollars >= price.movingDollars * settings.keepOnShare;
}

/** What lies on a drive, and what it would cost to lose it and to move it. */
export function stakeOf(snapshot: FleetSnapshot, device: DeviceFacts, settings: EvacuationSettings): Stake {
  const targets = new Map(snapshot.targets.flatMap((target) => (target.deviceIds.includes(device.deviceId) ? [[target.targetId, target] as const] : [])));
  const held = snapshot.datasets.flatMap((dataset) => {
    const replica = currentReplicas(dataset).find((one) => one.state === 'verified' && targets.has(one.targetId));
    return replica === undefined ? [] : [{ dataset, replica, from: targets.get(replica.targetId)! }];
  });
  const bytes = held.reduce((sum, { dataset }) => sum + dataset.sizeBytes, 0);
  const repairDays = settings.repairDelayMs / dayMs + bytes / settings.copyBytesPerSec / 86_400;
  return {
    deviceId: device.deviceId,
    bytes,
    datasets: held.map(({ dataset, replica, from }): DatasetStake => {
      const others = otherPlaces(snapshot, dataset, targets);
      const copy = copyDollars(snapshot, dataset, others.length === 0 ? [from] : others, settings);
      return {
        datasetId: dataset.datasetId,
        sizeBytes: dataset.sizeBytes,
        others: others.length,
        lossDollars: (dataset.sizeBytes / bytesPerGb) * settings.dollarsPerGbLost * allLost(snapshot, [...targets.values()], others, repairDays, settings),
        repairDollars: (others.length === 0 ? 0 : copy) + repairDays * 24 * settings.dollarsPerDegradedHour,
        moveDollars: copy + leaveOnce(from, replica, dataset, snapshot.takenAtMs),
      };
    }),
  };
}

/** Where other verified copies stand that a repair could read, each on drives that none before it is on. */
function otherPlaces(snapshot: FleetSnapshot, dataset: DatasetFacts, dying: ReadonlyMap<TargetId, TargetFacts>): TargetFacts[] {
  const fleet = indexOf(snapshot);
  const taken = new Set<string>([...dying.values()].flatMap((target) => drivesOf(target)));
  return currentReplicas(dataset).flatMap((replica) => {
    const target = fleet.targets.get(replica.targetId);
    if (target === undefined || replica.state !== 'verified' || !canBeRead(snapshot, target)) return [];
    if (drivesOf(target).some((drive) => taken.has(drive))) return [];
    for (const drive of drivesOf(target)) taken.add(drive);
    return [target];
  });
}

/** A place without drives of ours stands for itself. */
function drivesOf(target: TargetFacts): string[] {
  return target.deviceIds.length === 0 ? [`place ${target.targetId}`] : [...target.deviceIds];
}

function canBeRead(snapshot: FleetSnapshot, target: TargetFacts): boolean {
  const agent = indexOf(snapshot).nodes.get(target.nodeId)?.agentState;
  return target.state !== 'lost' && (agent === 'online' || agent === 'late' || agent === 'returned');
}

function allLost(snapshot: FleetSnapshot, dying: readonly TargetFacts[], others: readonly TargetFacts[], days: number, settings: EvacuationSettings): number {
  const follows = settings.followShare * Math.min(1, days / settings.followDays);
  const domains = new Set(dying.flatMap(domainsOf));
  return others.reduce((chance, target) => {
    const alone = lostWithin(snapshot, target, days, settings);
    const hasNeighbour = domainsOf(target).some((domain) => domains.has(domain));
    for (const domain of domainsOf(target)) domains.add(domain);
    return chance * (hasNeighbour ? Math.max(alone, follows) : alone);
  }, 1);
}

function domainsOf(target: TargetFacts): string[] {
  return [`domain ${target.siteId} ${target.failureDomain}`, `node ${target.nodeId}`];
}

/**
 * What a copy is worth if its drives die, US dollars: making it again at the usual speed with a copy short meanwhile, and the data itself times the chance that
 * none of the other wanted copies, on drives like any other, outlives that time. Its share of any drive's failures is the same everywhere and is counted too.
 */
export function copyAtStake({ sizeBytes, policy }: DatasetFacts, settings: EvacuationSettings): number {
  const gb = sizeBytes / bytesPerGb;
  const copySec = sizeBytes / settings.copyBytesPerSec;
  const shortDays = settings.repairDelayMs / dayMs + copySec / 86_400;
  const othersLost = anyDrives(settings, shortDays) ** Math.max(0, policy.copies - 1);
  const again = gb * settings.dollarsPerGbWritten + copySec * settings.dollarsPerCopySec + shortDays * 24 * settings.dollarsPerDegradedHour;
  return again + gb * settings.dollarsPerGbLost * othersLost;
}

/**
 * The probability that a copy at a target is lost in a month of 730 hours: any drive's, and in a public cloud that of losing the place. What a drive's own
 * signs mean is weighed once, where its evacuation is: here it would have copies moved that were just found to be cheaper left. How many drives a target
 * names says nothing either: nobody says how they hold each other up.
 */
export function lostInMonth(target: TargetFacts, settings: EvacuationSettings): number {
  return target.locationKind === 'public-cloud' ? within(settings.yearlyLossOfPlace, 365, daysPerMonth) : anyDrives(settings, daysPerMonth);
}

function lostWithin(snapshot: FleetSnapshot, target: TargetFacts, days: number, settings: EvacuationSettings): number {
  if (target.deviceIds.length === 0) return within(settings.yearlyLossOfPlace, 365, days);
  const { devices } = indexOf(snapshot);
  const survives = target.deviceIds.reduce((chance, deviceId) => {
    const device = devices.get(deviceId);
    const horizonDays = device?.horizonDays ?? 365;
    const probability = Math.max(device?.probability ?? 0, anyDrives(settings, horizonDays));
    return chance * (1 - within(probability, horizonDays, days));
  }, 1);
  return 1 - survives;
}

/** The probability with which any drive fails within so many days. */
function anyDrives(settings: EvacuationSettings, days: number): number {
  return within(settings.yearlyFailures, 365, days);
}

function within(probability: number, overDays: number, days: number): number {
  return 1 - (1 - Math.min(1, Math.max(0, probability))) ** (Math.max(0, days) / Math.max(1, overDays));
}

/** Making one copy more at the cheapest usable place with room, from the cheapest source; where a source is when there is no place. Policy may choose a dearer one. */
function copyDollars(snapshot: FleetSnapshot, dataset: DatasetFacts, sources: readonly TargetFacts[], settings: EvacuationSettings): number {
  const { devices } = indexOf(snapshot);
  const held = new Set(dataset.replicas.map((replica) => replica.targetId));
  const places = snapshot.targets.filter(
    (to) =>
      !held.has(to.targetId) &&
      to.prices !== null &&
      to.state === 'ok' &&
      canBeRead(snapshot, to) &&
      freeBytes(to) >= dataset.sizeBytes &&
      to.deviceIds.every((deviceId) => !['at-risk', 'failing'].includes(devices.get(deviceId)?.level ?? 'unknown')),
  );
  return Math.min(...sources.flatMap((from) => (places.length === 0 ? [from] : places).map((to) => onceTo(from, to, dataset, settings))));
}

function onceTo(from: TargetFacts, to: TargetFacts, dataset: DatasetFacts, settings: EvacuationSettings): number {
  return copyOnce(from, to, dataset) + copyingDollars(from, to, dataset.sizeBytes, settings);
}

/** What copying costs beyond its bill, US dollars: those who use the two places meanwhile, and the life of the drive that is written. */
export function copyingDollars(from: TargetFacts, to: TargetFacts, sizeBytes: number, settings: EvacuationSettings): number {
  const bytesPerSec = Math.max(1, Math.min(from.readBytesPerSec ?? settings.copyBytesPerSec, to.writeBytesPerSec ?? settings.copyBytesPerSec));
  const wear = to.deviceIds.length === 0 ? 0 : (sizeBytes / bytesPerGb) * settings.dollarsPerGbWritten;
  return wear + (sizeBytes / bytesPerSec) * settings.dollarsPerCopySec;
}
