import type { DatasetId, NodeId, ReplicaId, SiteId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { JobState } from '@data-in-motion/shared/domain/job';
import type { AdmissionLimits } from '../fleet/decision-settings.ts';
import { freeBytes, indexOf } from '../fleet/lookup.ts';
import { heldBytes, plansAtWork } from '../fleet/plan-holds.ts';
import type { DatasetFacts, FleetSnapshot, JobFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import type { Move, NeedKind } from '../placement/plan.ts';
import { copiesOf } from '../reconcile/copies.ts';

/** Moves that rest on a forecast: they must be sure enough, and wait for whatever else is done about their dataset. */
export const forecasts: readonly NeedKind[] = ['follow-heat', 'cheaper-place'];

/** Jobs in these states wait for a time or a person and use no agent. */
const idle: readonly JobState[] = ['retry-wait', 'no-space', 'source-changed', 'paused', 'grace', 'trashed', 'conflict', 'dead-letter'];

/** Nothing is done for a copy that is to leave until its permit is granted, which may be long: what has to be copied does not wait for that. */
function awaitsPermit(job: JobFacts): boolean {
  return job.purpose === 'retire' && job.state === 'planned';
}

export interface Ledger {
  /** Why a move can not become a job now, in words; null when it can. */
  heldBecause(move: Move, dataset: DatasetFacts): string | null;
  /** It becomes one. */
  write(move: Move): void;
  /** It waits, and its room is kept from those that come after it. */
  keep(move: Move): void;
}

/** What is promised and under way, and what one pass adds to it. Room that is held for plans, and datasets that are left to them, are for safety alone. */
export function openLedger(snapshot: FleetSnapshot, limits: AdmissionLimits, health: ReadonlyMap<TargetId, TargetHealth>): Ledger {
  const fleet = indexOf(snapshot);
  const held = heldBytes(snapshot);
  const leftTo = plansAtWork(snapshot);
  const promised = new Map<TargetId, number>();
  const busy = new Set<string>(snapshot.jobs.flatMap((job) => [placeKey(job.datasetId, job.toTargetId), placeKey(job.datasetId, job.fromReplicaId)]));
  const copying = new Set<DatasetId>(snapshot.jobs.filter((job) => job.purpose !== 'retire' && job.purpose !== 'verify').map((job) => job.datasetId));
  const evacuating = new Set<DatasetId>(
    snapshot.jobs
      .filter((job) => job.purpose === 'move' && job.fromTargetId !== null && health.get(job.fromTargetId)?.evacuation === 'evacuated')
      .map((job) => job.datasetId),
  );
  const dropped = new Set<ReplicaId>();
  const working = snapshot.jobs.filter((job) => !idle.includes(job.state) && !awaitsPermit(job));
  const onNode = counted(working.map((job) => job.moverNodeId));
  const onLink = counted(working.map((job) => linkOfJob(job)));
  let inFleet = working.length;
  let inPass = 0;

  return {
    heldBecause(move, dataset) {
      const mover = moverOf(move);
      if (mover === undefined) return 'its place is no longer part of the fleet';
      const plan = leftTo.get(move.datasetId);
      if (plan !== undefined && move.priority > 0) return `plan ${plan} is being carried out for ${move.datasetId}`;
      return (move.action === 'retire' ? retireHeld(move, dataset) : copyHeld(move)) ?? limitHeld(move, mover);
    },
    write(move) {
      inPass++;
      inFleet++;
      onNode.add(moverOf(move));
      onLink.add(linkOf(move));
      if (move.action === 'retire') {
        dropped.add(move.fromReplicaId!);
      } else {
        this.keep(move);
        copying.add(move.datasetId);
      }
      if (move.need === 'evacuate-device') evacuating.add(move.datasetId);
      busy.add(placeKey(move.datasetId, move.toTargetId));
      if (move.action !== 'copy') busy.add(placeKey(move.datasetId, move.fromReplicaId));
    },
    keep(move) {
      if (move.toTargetId !== null) promised.set(move.toTargetId, (promised.get(move.toTargetId) ?? 0) + move.sizeBytes);
    },
  };

  /** The destination's agent does the work; for a drop, the agent that holds the copy. */
  function moverOf(move: Move): NodeId | undefined {
    return fleet.targets.get((move.toTargetId ?? move.fromTargetId)!)?.nodeId;
  }

  function linkOf(move: Move): string | undefined {
    if (move.toTargetId === null || move.readTargetId === null) return undefined;
    return linkBetween(fleet.targets.get(move.readTargetId)?.siteId, fleet.targets.get(move.toTargetId)?.siteId);
  }

  function linkOfJob(job: JobFacts): string | undefined {
    if (job.purpose === 'retire' || job.purpose === 'verify' || job.sourceNodeId === null) return undefined;
    return linkBetween(fleet.nodes.get(job.sourceNodeId)?.siteId, fleet.nodes.get(job.moverNodeId)?.siteId);
  }

  function limitHeld(move: Move, mover: NodeId): string | null {
    if (inPass >= limits.newPerPass) return `${limits.newPerPass} moves are started in one pass, this one is next`;
    if (inFleet >= limits.underWayInFleet) return `${inFleet} jobs are under way in the fleet, ${limits.underWayInFleet} may be`;
    const there = onNode.of(mover);
    if (there >= limits.underWayPerNode) return `${there} jobs are under way on ${mover}, ${limits.underWayPerNode} may be`;
    const link = linkOf(move);
    if (link !== undefined && onLink.of(link) >= limits.underWayPerLink)
      return `${onLink.of(link)} jobs are under way from ${link}, ${limits.underWayPerLink} may be`;
    if (move.need === 'evacuate-device' && !evacuating.has(move.datasetId) && evacuating.size >= limits.evacuatingAtOnce)
      return `${evacuating.size} datasets are leaving risky devices, ${limits.evacuatingAtOnce} may at one time`;
    return null;
  }

  function copyHeld(move: Move): string | null {
    const target = fleet.targets.get(move.toTargetId!)!;
    if (health.get(target.targetId)?.takesData !== true) return health.get(target.targetId)?.reason ?? `${target.targetId} takes no data`;
    if (busy.has(placeKey(move.datasetId, move.toTargetId))) return `a job for ${move.datasetId} on ${move.toTargetId} is under way`;
    if (move.action === 'move' && busy.has(placeKey(move.datasetId, move.fromReplicaId))) return `a job for this copy of ${move.datasetId} is under way`;
    if (forecasts.includes(move.need) && copying.has(move.datasetId)) return `${move.datasetId} is being copied already; one step at a time`;
    const free = freeBytes(target) - (promised.get(target.targetId) ?? 0);
    if (move.sizeBytes > free) return `${target.targetId} has no room beside what is promised to other jobs`;
    const kept = move.priority === 0 ? 0 : (held.get(target.targetId) ?? 0);
    return move.sizeBytes > free - kept ? `the room of ${target.targetId} is held for a plan that a person looks at or applied` : null;
  }

  function retireHeld(move: Move, dataset: DatasetFacts): string | null {
    if (busy.has(placeKey(move.datasetId, move.fromReplicaId))) return `a job for this copy of ${move.datasetId} is under way`;
    if (move.fromReplicaId === dataset.primaryReplicaId) return 'it is the primary: readers use it';
    if (copying.has(move.datasetId)) return `${move.datasetId} is being copied; nothing is let go meanwhile`;
    if (health.get(move.fromTargetId!)?.mayLetGo !== true) return health.get(move.fromTargetId!)?.reason ?? `${move.fromTargetId} can not let anything go now`;
    const others = copiesOf(snapshot, dataset, health).counted.filter(
      (replica) => replica.replicaId !== move.fromReplicaId && !dropped.has(replica.replicaId),
    ).length;
    return others < Math.max(1, dataset.policy.copies) ? `only ${others} other verified copies would stand, ${dataset.policy.copies} are wanted` : null;
  }
}

/** Between two sites, each way by itself; undefined within one. */
function linkBetween(from: SiteId | undefined, to: SiteId | undefined): string | undefined {
  return from === undefined || to === undefined || from === to ? undefined : `${from} to ${to}`;
}

interface Counts {
  of(name: string): number;
  add(name: string | undefined): void;
}

function counted(names: readonly (string | undefined)[]): Counts {
  const counts = new Map<string, number>();
  const add = (name: string | undefined): void => {
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  for (const name of names) add(name);
  return { of: (name) => counts.get(name) ?? 0, add };
}

function placeKey(datasetId: DatasetId, place: string | null): string {
  return place === null ? '' : `${datasetId} ${place}`;
}
