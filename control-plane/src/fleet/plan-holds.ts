import type { DatasetId, PlanId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { FleetSnapshot, PlanHold } from './snapshot.ts';

/** The fleet as a plan sees it that has this one's place: what that one holds is free for it. */
export function withoutHolds(snapshot: FleetSnapshot, isGone: (hold: PlanHold) => boolean): FleetSnapshot {
  return { ...snapshot, holds: snapshot.holds.filter((hold) => !isGone(hold)) };
}

/** Bytes of each target that are held for plans. */
export function heldBytes(snapshot: FleetSnapshot): Map<TargetId, number> {
  const held = new Map<TargetId, number>();
  for (const hold of snapshot.holds)
    for (const [targetId, bytes] of Object.entries(hold.bytes) as [TargetId, number][]) held.set(targetId, (held.get(targetId) ?? 0) + bytes);
  return held;
}

/** The fleet in which the room that is held for plans counts as promised, for what shall not take it. */
export function withHeldRoom(snapshot: FleetSnapshot): FleetSnapshot {
  const held = heldBytes(snapshot);
  if (held.size === 0) return snapshot;
  return {
    ...snapshot,
    targets: snapshot.targets.map((target) => ({ ...target, reservedBytes: target.reservedBytes + (held.get(target.targetId) ?? 0) })),
  };
}

/** Which plan that is being carried out a dataset is left to. */
export function plansAtWork(snapshot: FleetSnapshot): Map<DatasetId, PlanId> {
  return new Map(snapshot.holds.flatMap((hold) => hold.datasetIds.map((datasetId) => [datasetId, hold.planId] as const)));
}
