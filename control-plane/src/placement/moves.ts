import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { TierClass } from '@data-in-motion/shared/domain/target';
import { daysPerMonth, leaveOnce } from '../fleet/copy-cost.ts';
import { asHeldBy, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { bytesText, dollarsText } from '../fleet/words.ts';
import { backupPlan } from '../health/recovery-report.ts';
import { expectedUse } from '../heat/expected-use.ts';
import type { Need } from '../reconcile/needs.ts';
import type { Ask, Option } from './asks.ts';
import { isPaid, perMonth, replicaCost } from './cost.ts';
import { lastingPerMonth, roleOf } from './objective.ts';
import type { CostParts, Move, NeedKind } from './plan.ts';

const priorities: Readonly<Record<NeedKind, Move['priority']>> = {
  'add-copy': 0,
  'replace-bad-copy': 0,
  'evacuate-device': 0,
  'leave-forbidden-place': 1,
  'follow-heat': 2,
  'cheaper-place': 3,
  'drop-stale-copy': 4,
  'drop-copy': 4,
};

/** The move that takes a chosen option, with its price, its certainty and its reason. */
export function moveOf(snapshot: FleetSnapshot, ask: Ask, option: Option, heat: Heat | undefined): Move {
  const { dataset, replica } = ask;
  const { targets } = indexOf(snapshot);
  const here = targets.get(option.from.targetId);
  const before = replica === null || here === undefined ? null : costAt(dataset, replica, here, heat);
  const changePerMonth = perMonth(option.cost) - (before === null ? 0 : perMonth(before));
  const saving = ask.stayObjective - lastingPerMonth(option.parts);
  const need = ask.need ?? betterKind(heat?.class, here?.tier, option.to.tier, changePerMonth);
  return {
    datasetId: dataset.datasetId,
    need,
    action: replica === null ? 'copy' : 'move',
    deviceId: ask.deviceId,
    fromReplicaId: option.from.replicaId,
    fromTargetId: option.from.targetId,
    toTargetId: option.to.targetId,
    readReplicaId: option.read.replicaId,
    readTargetId: option.read.targetId,
    sizeBytes: dataset.sizeBytes,
    reason:
      ask.kind === 'better'
        ? betterReason(ask, option, here, before, heat)
        : `${ask.reason}; ${placeReason(ask, option)}${readReason(option)}${fallBack(snapshot, ask)}`,
    confidence: confidenceOf(snapshot, ask, heat),
    costBefore: before,
    costAfter: option.cost,
    changePerMonth,
    migrationOnce: option.cost.migrationOnce,
    paybackDays: ask.kind === 'better' ? (option.cost.migrationOnce / saving) * daysPerMonth : null,
    expectedMs: expectedMs(dataset, targets.get(option.read.targetId), option.to),
    priority: priorities[need],
  };
}

/** The move that lets a copy go because the others suffice. */
export function retireMove(snapshot: FleetSnapshot, dataset: DatasetFacts, need: Need, heat: Heat | undefined): Move | null {
  const replica = dataset.replicas.find((each) => each.replicaId === need.replicaId);
  const target = replica === undefined ? undefined : indexOf(snapshot).targets.get(replica.targetId);
  if (replica === undefined || target === undefined) return null;
  const before = costAt(dataset, replica, target, heat);
  const held = asHeldBy(dataset, replica);
  return {
    datasetId: dataset.datasetId,
    need: need.kind,
    action: 'retire',
    deviceId: need.deviceId,
    fromReplicaId: replica.replicaId,
    fromTargetId: replica.targetId,
    toTargetId: null,
    readReplicaId: null,
    readTargetId: null,
    sizeBytes: held.sizeBytes,
    reason: need.reason,
    confidence: 1,
    costBefore: before,
    costAfter: null,
    changePerMonth: -perMonth(before),
    migrationOnce: leaveOnce(target, replica, held, snapshot.takenAtMs),
    paybackDays: null,
    expectedMs: null,
    priority: priorities[need.kind],
  };
}

function costAt(dataset: DatasetFacts, replica: DatasetFacts['replicas'][number], target: TargetFacts, heat: Heat | undefined): CostParts {
  return replicaCost(target, roleOf(dataset, replica), isPaid(replica) ? asHeldBy(dataset, replica) : { sizeBytes: 0, objects: 0 }, expectedUse(heat));
}

/** Towards the tier of its heat, or to where it costs more for being faster: heat. Everything else is for the money. */
function betterKind(heatClass: TierClass | undefined, from: TierClass | undefined, to: TierClass, changePerMonth: number): NeedKind {
  if (changePerMonth > 0) return 'follow-heat';
  if (heatClass === undefined || from === undefined || from === to) return 'cheaper-place';
  const rank = { hot: 0, warm: 1, cold: 2 } as const;
  return Math.abs(rank[to] - rank[heatClass]) < Math.abs(rank[from] - rank[heatClass]) ? 'follow-heat' : 'cheaper-place';
}

/** Where a person decides about an evacuation, what becomes of the dataset when that takes too long. */
function fallBack(snapshot: FleetSnapshot, ask: Ask): string {
  const { dataset, deviceId } = ask;
  return ask.need === 'evacuate-device' && deviceId !== null && dataset.policy.mode === 'advisory' ? `; ${backupPlan(snapshot, dataset, deviceId)}` : '';
}

/** A missing copy is a fact; a drive's end is what its judge says; heat and cost rest on how sure the class is. */
function confidenceOf(snapshot: FleetSnapshot, ask: Ask, heat: Heat | undefined): number {
  if (ask.kind === 'better') return heat?.confidence ?? 0.5;
  return ask.deviceId === null ? 1 : (indexOf(snapshot).devices.get(ask.deviceId)?.probability ?? 1);
}

/** Why this place and no other: the cheapest per month is not always the best, since the way there and the waiting of readers count too. */
function placeReason(ask: Ask, option: Option): string {
  const { targetId } = option.to;
  if (ask.dataset.policy.pinnedTargets.includes(targetId)) return `a copy is pinned to ${targetId}`;
  const cheaper = ask.options.filter((other) => perMonth(other.cost) < perMonth(option.cost)).sort((a, b) => perMonth(a.cost) - perMonth(b.cost))[0];
  if (cheaper === undefined) return `${targetId} is the cheapest place that policy allows and that has room`;
  const there = `${cheaper.to.targetId} would cost ${dollarsText(perMonth(cheaper.cost))} a month instead of ${dollarsText(perMonth(option.cost))}`;
  if (cheaper.objective <= option.objective) return `${targetId} is the best place left: ${there}, but others of this plan take its room or stand too near`;
  const once = cheaper.cost.migrationOnce > option.cost.migrationOnce;
  const because = once
    ? `the way there costs ${dollarsText(cheaper.cost.migrationOnce)} once instead of ${dollarsText(option.cost.migrationOnce)}`
    : 'its readers would wait longer';
  return `${targetId} is the best place that policy allows and that has room: ${there}, but ${because}`;
}

function betterReason(ask: Ask, option: Option, here: TargetFacts | undefined, before: CostParts | null, heat: Heat | undefined): string {
  const change = perMonth(option.cost) - (before === null ? 0 : perMonth(before));
  const waitedHere = ask.stay?.waitingPerMonth ?? 0;
  const waitedThere = option.parts.waitingPerMonth;
  const money = `${change <= 0 ? 'saves' : 'costs'} ${dollarsText(Math.abs(change))} a month${change > 0 ? ' more' : ''}`;
  const speed =
    ask.role === 'primary' && waitedHere !== waitedThere
      ? `, and readers' waiting is worth ${dollarsText(waitedThere)} instead of ${dollarsText(waitedHere)}`
      : '';
  const once = option.cost.migrationOnce > 0 ? `; the move costs ${dollarsText(option.cost.migrationOnce)} once` : '';
  return `${heat?.reason ?? 'no use is known'}. ${bytesText(ask.dataset.sizeBytes)} from ${here?.targetId ?? 'where it is'} to ${option.to.targetId} ${money}${speed}${once}${readReason(option)}`;
}

/** Where the bytes come from, where that is not the copy that is replaced. */
function readReason({ from, read }: Option): string {
  return read.replicaId === from.replicaId ? '' : `; it is read from ${read.targetId}`;
}

/** Every byte is read there, written here and read back here; null until the places are measured. */
function expectedMs(dataset: DatasetFacts, from: TargetFacts | undefined, to: TargetFacts): number | null {
  if (from?.readBytesPerSec == null || to.writeBytesPerSec === null || to.readBytesPerSec === null) return null;
  const copySec = dataset.sizeBytes / Math.max(1, Math.min(from.readBytesPerSec, to.writeBytesPerSec));
  return Math.ceil((copySec + dataset.sizeBytes / Math.max(1, to.readBytesPerSec)) * 1000);
}
