import type { MoveStage } from '@data-in-motion/shared/api/decisions';
import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, JobId, PlanId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import type { JobPurpose, JobState } from '@data-in-motion/shared/domain/job';
import type { DecisionSettings } from '../fleet/decision-settings.ts';
import { indexOf } from '../fleet/lookup.ts';
import { withoutHolds } from '../fleet/plan-holds.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { targetHealth } from '../health/target-health.ts';
import type { Move } from '../placement/plan.ts';
import { type PlanBasis, planBasisOf } from '../placement/plan-basis.ts';
import { moveDifferences, type OwnWork, roomDifferences, told } from '../placement/plan-differences.ts';
import { openLedger } from './ledger.ts';

/** A plan that was applied: what it rests on, and how far its moves are. */
export interface PlanWork {
  readonly planId: PlanId;
  readonly basis: PlanBasis;
  /** In the order of the plan. */
  readonly moves: readonly WorkMove[];
  /** Nothing is begun any more; what runs is finished. */
  readonly stopped: boolean;
  /** When a move of it was begun, or ended, last. */
  readonly movedAtMs: number;
}

export interface WorkMove {
  readonly moveId: string;
  readonly move: Move;
  readonly stage: MoveStage;
  readonly because: string | null;
  readonly job: OwnJob | null;
}

export interface OwnJob {
  readonly jobId: JobId;
  readonly purpose: JobPurpose;
  readonly state: JobState;
  readonly fromReplicaId: ReplicaId | null;
  readonly toReplicaId: ReplicaId | null;
}

/** What becomes of an applied plan now. */
export interface PlanAdvance {
  /** Every move with its stage and its reason, in the plan's order; those to be started are still `waiting`. */
  readonly moves: readonly WorkMove[];
  /** To be begun now, in this order. */
  readonly start: readonly WorkMove[];
  /** Not empty: the plan stops here. */
  readonly differences: readonly PlanDifference[];
}

/** From `grace` on the new copy counts and its agent has named it; a copy that is let go has left when it lies in the trash. */
const arrived: readonly JobState[] = ['grace', 'retiring', 'trashed', 'purged', 'done'];
const left: readonly JobState[] = ['trashed', 'purged', 'done'];
const givenUp: readonly JobState[] = ['cancelled', 'conflict', 'dead-letter'];

/** A plan of which nothing is being copied and nothing could be begun for this long is stopped, so that its datasets are not left to it for ever. */
export const longestStandstillMs = 3_600_000;

/**
 * The next step of an applied plan: which moves ended, which begin, and whether it stops.
 *
 * Each move is compared with what it rests on just before it begins. The first that is affected stops the plan, once everything before it has begun;
 * nothing after it begins meanwhile. Beyond that a move waits only for limits and for moves of its own dataset, so that others may overtake it;
 * its room stays its own. A drop waits until all copies of its dataset stand, and is left out where one of them failed.
 */
export function advancePlan(snapshot: FleetSnapshot, heats: ReadonlyMap<DatasetId, Heat>, work: PlanWork, settings: DecisionSettings): PlanAdvance {
  const moves = leaveOut(work.moves.map(settle));
  const waiting = moves.filter((each) => each.stage === 'waiting');
  if (work.stopped || waiting.length === 0) return { moves, start: [], differences: [] };
  const free = withoutHolds(snapshot, (hold) => hold.planId === work.planId);
  const ledger = openLedger(free, settings.limits, targetHealth(free, settings));
  const differencesOf = comparison(free, heats, work.basis, moves, settings);
  const coming = copiedStill(moves);
  const reasons = new Map<string, string>();
  const start: WorkMove[] = [];
  for (const each of waiting) {
    const differences = differencesOf(each.move);
    if (differences.length > 0 && reasons.size === 0) return stopAt(moves, each, differences, start);
    if (differences.length > 0) {
      reasons.set(each.moveId, `${differences[0]!.text}; the plan stops before it`);
      break;
    }
    const dataset = indexOf(free).datasets.get(each.move.datasetId)!;
    const first = each.move.action === 'retire' && coming.has(each.move.datasetId) ? `the copies of ${each.move.datasetId} come first` : null;
    const because = first ?? ledger.heldBecause(each.move, dataset);
    if (because === null) start.push(each);
    else reasons.set(each.moveId, because);
    if (because === null) ledger.write(each.move);
    else ledger.keep(each.move);
  }
  const told = moves.map((each) => (each.stage === 'waiting' ? { ...each, because: reasons.get(each.moveId) ?? each.because } : each));
  const copying = moves.some((each) => each.stage === 'running' && each.move.action !== 'retire');
  const standsStill = start.length === 0 && !copying && snapshot.takenAtMs - work.movedAtMs >= longestStandstillMs;
  return standsStill ? stopAt(told, waiting[0]!, [standstill(work.planId, reasons.get(waiting[0]!.moveId))], []) : { moves: told, start, differences: [] };
}

/** What has changed for one move, and for the room of all that wait. */
function comparison(
  snapshot: FleetSnapshot,
  heats: ReadonlyMap<DatasetId, Heat>,
  basis: PlanBasis,
  moves: readonly WorkMove[],
  settings: DecisionSettings,
): (move: Move) => PlanDifference[] {
  const at = (stage: MoveStage): Move[] => moves.filter((each) => each.stage === stage).map(({ move }) => move);
  const now = planBasisOf(snapshot, heats, at('waiting'), settings);
  const short = Map.groupBy(roomDifferences(snapshot, basis, at('waiting'), at('running')), (one) => one.id);
  const own = ownWork(moves);
  return (move) => told([...moveDifferences(basis, now, move, own), ...(short.get(move.toTargetId ?? '') ?? [])]);
}

export function ownWork(moves: readonly { readonly job: OwnJob | null }[]): OwnWork {
  const jobs = moves.flatMap(({ job }) => job ?? []);
  return {
    jobs: new Set(jobs.map((job) => job.jobId)),
    // What a copy job reads stays as it is; what a move or a drop takes away does not.
    replicas: new Set(jobs.flatMap((job) => [job.toReplicaId ?? [], job.purpose === 'copy' ? [] : (job.fromReplicaId ?? [])].flat())),
  };
}

/** A job that has ended ends its move. */
function settle(each: WorkMove): WorkMove {
  if (each.stage !== 'running' || each.job === null) return each;
  if (givenUp.includes(each.job.state)) return { ...each, stage: 'failed', because: `its job ended as ${each.job.state}` };
  return (each.job.purpose === 'retire' ? left : arrived).includes(each.job.state) ? { ...each, stage: 'done', because: null } : each;
}

/** What comes after a move of the same dataset that failed rests on a copy that is not there. */
function leaveOut(moves: readonly WorkMove[]): WorkMove[] {
  const failed = new Set<DatasetId>();
  return moves.map((each) => {
    const { datasetId } = each.move;
    if (each.stage === 'failed') failed.add(datasetId);
    return each.stage === 'waiting' && failed.has(datasetId) ? { ...each, stage: 'left-out', because: `an earlier move of ${datasetId} failed` } : each;
  });
}

/** Datasets of which a copy is still to be made or under way: nothing of them is dropped before. */
function copiedStill(moves: readonly WorkMove[]): ReadonlySet<DatasetId> {
  const open = moves.filter(({ stage, move }) => move.action !== 'retire' && (stage === 'waiting' || stage === 'running'));
  return new Set(open.map(({ move }) => move.datasetId));
}

function stopAt(moves: readonly WorkMove[], at: WorkMove, differences: readonly PlanDifference[], start: readonly WorkMove[]): PlanAdvance {
  const begins = new Set(start.map((each) => each.moveId));
  const because = (each: WorkMove): string => (each.moveId === at.moveId ? differences[0]!.text : 'the plan has stopped');
  return {
    moves: moves.map((each) => (each.stage === 'waiting' && !begins.has(each.moveId) ? { ...each, stage: 'left-out', because: because(each) } : each)),
    start,
    differences,
  };
}

function standstill(planId: PlanId, because = 'its limits'): PlanDifference {
  return { kind: 'plan', id: planId, what: 'standstill', before: null, after: because, text: `nothing of the plan could be begun for an hour: ${because}` };
}
