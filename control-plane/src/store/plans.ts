import { createHash } from 'node:crypto';
import type { MoveView, PlanView } from '@data-in-motion/shared/api/decisions';
import type { DatasetId, DeviceId, JobId, PlanId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { eachInSlices } from '@data-in-motion/shared/in-slices';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, desc, eq, inArray, lt, ne, notInArray, sql } from 'drizzle-orm';
import type { Admission } from '../jobs/admit.ts';
import type { Move, Plan } from '../placement/plan.ts';
import { basisText, type PlanBasis } from '../placement/plan-basis.ts';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { fleetPlanGrounds, movesOfPlan, type PlannedMove } from './fleet-plan.ts';
import { endHolds, replacedPreviews } from './plan-holds.ts';
import { type PlanFigures, plan, planMove, recommendation } from './schema.ts';

/** A move as it is shown, with what is needed to make it later exactly as it was shown. */
export interface StoredMove extends MoveView {
  readonly fromReplicaId: ReplicaId | null;
  readonly readReplicaId?: ReplicaId | null;
  readonly deviceId: DeviceId | null;
  readonly priority: Move['priority'];
}
export interface StoredPlan extends PlanView {
  readonly moves: StoredMove[];
}

const plansKept = 200;
const recommendationsKept = 1_000;

/** The plan as it is shown, its moves in the order in which they are begun; `jobs` are those that were made of them, `datasetIds` those that were looked at, null for all. */
export function planViewOf(
  planId: PlanId,
  made: Plan,
  admissions: readonly Admission[],
  jobs: ReadonlyMap<Move, JobId>,
  state: PlanView['state'],
  datasetIds: ReadonlySet<DatasetId> | null,
): StoredPlan {
  const moves = admissions.map(({ move, verdict, heldBecause }, i): StoredMove => {
    const { reason, confidence, costBefore, costAfter, changePerMonth, migrationOnce, paybackDays, expectedMs, sizeBytes, need, action } = move;
    return {
      moveId: `${planId}-${i}`,
      order: i + 1,
      datasetId: move.datasetId,
      need,
      action,
      fromTargetId: move.fromTargetId,
      toTargetId: move.toTargetId,
      readTargetId: move.readTargetId,
      sizeBytes,
      reason,
      confidence,
      costBefore,
      costAfter,
      changePerMonth,
      migrationOnce,
      paybackDays,
      expectedMs,
      verdict,
      heldBecause,
      jobId: jobs.get(move) ?? null,
      fromReplicaId: move.fromReplicaId,
      readReplicaId: move.readReplicaId,
      deviceId: move.deviceId,
      priority: move.priority,
    };
  });
  return {
    planId,
    madeAtMs: made.madeAtMs,
    dryRun: state === 'preview',
    ...(datasetIds === null ? {} : { datasetIds: [...datasetIds] }),
    state,
    solver: made.solver,
    solvedInMs: made.solvedInMs,
    objectivePerMonth: made.objectivePerMonth,
    lowerBoundPerMonth: made.lowerBoundPerMonth,
    costBeforePerMonth: made.costBeforePerMonth,
    costAfterPerMonth: made.costAfterPerMonth,
    migrationOnce: made.moves.reduce((sum, move) => sum + move.migrationOnce, 0),
    moves,
    infeasible: made.infeasible.map((one) => ({ ...one, rules: [...one.rules] })),
    parts: made.parts,
    gap: made.gap,
    full: [...made.full],
    leftForLater: made.leftForLater,
  };
}

/** A stored move as the solver's; the opposite of `planViewOf`. */
export function moveOf(stored: StoredMove): Move {
  return {
    ...stored,
    datasetId: stored.datasetId as DatasetId,
    fromTargetId: stored.fromTargetId as TargetId | null,
    toTargetId: stored.toTargetId as TargetId | null,
    // A plan of before read what it replaced.
    readReplicaId: stored.readReplicaId === undefined ? stored.fromReplicaId : stored.readReplicaId,
    readTargetId: (stored.readTargetId === undefined ? stored.fromTargetId : stored.readTargetId) as TargetId | null,
  };
}

/**
 * Keep a plan. A new current one supersedes those before, when it is for the whole fleet, and brings the recommendations of its datasets; a preview changes
 * nothing else. One for the whole fleet that says the same as the current one takes its place and its name, or a fleet in which nothing moves would push
 * all others out.
 *
 * A preview holds the room that its moves need until `heldUntilMs`, in place of the previews before it that are about the same datasets.
 *
 * @param basis what its moves rest on; a plan keeps its name only while that is the same, too
 * @returns the plan as it is kept, and whether it is a new one
 */
export async function savePlan(
  tx: Tx,
  drawn: StoredPlan,
  { basis, heldUntilMs }: { readonly basis: PlanBasis; readonly heldUntilMs: number },
  nowMs: number,
): Promise<{ view: StoredPlan; isNew: boolean }> {
  const made: StoredPlan = { ...drawn, basis: digestOf(basis) };
  const before = made.state === 'current' && made.datasetIds === undefined ? await sameAsBefore(tx, made) : undefined;
  const view = before === undefined ? made : { ...made, planId: before.planId, moves: made.moves.map((move, i) => ({ ...move, moveId: before.moveIds[i]! })) };
  const body = sql`${await jsonInSlices(view)}::text::jsonb`;
  if (before !== undefined) {
    await saveRecommendations(tx, view, nowMs);
    await tx
      .update(plan)
      .set({ madeAtMs: view.madeAtMs, body, summary: figuresOf(view), basis })
      .where(eq(plan.planId, before.planId as PlanId));
    return { view, isNew: false };
  }
  if (view.state === 'current') {
    if (view.datasetIds === undefined)
      await tx
        .update(plan)
        .set({ state: 'superseded', body: sql`jsonb_set(${plan.body}, '{state}', '"superseded"')` })
        .where(eq(plan.state, 'current'));
    await saveRecommendations(tx, view, nowMs);
  }
  const holds = view.state === 'preview';
  if (holds) await endHolds(tx, await replacedPreviews(tx, datasetsOf(view), nowMs));
  await tx.insert(plan).values({
    planId: view.planId as PlanId,
    madeAtMs: view.madeAtMs,
    state: view.state,
    body,
    summary: figuresOf(view),
    basis,
    ...(holds ? { heldBytes: bytesTo(view.moves), heldUntilMs } : {}),
  });
  await dropOldPlans(tx);
  return { view: holds ? { ...view, roomHeldUntilMs: heldUntilMs } : view, isNew: true };
}

/** All but the newest; one that is being carried out stays until it has ended. */
async function dropOldPlans(tx: Tx): Promise<void> {
  const [oldest] = await tx.select({ planId: plan.planId }).from(plan).orderBy(desc(plan.planId)).offset(plansKept).limit(1);
  if (oldest === undefined) return;
  const open = tx
    .select({ planId: planMove.planId })
    .from(planMove)
    .where(inArray(planMove.stage, ['waiting', 'running']));
  const gone = await tx
    .delete(plan)
    .where(and(lt(plan.planId, oldest.planId), ne(plan.state, 'current'), notInArray(plan.planId, open)))
    .returning({ planId: plan.planId });
  if (gone.length > 0)
    await tx.delete(planMove).where(
      inArray(
        planMove.planId,
        gone.map(({ planId }) => planId),
      ),
    );
}

export function datasetsOf(view: PlanView): ReadonlySet<DatasetId> | null {
  return view.datasetIds === undefined ? null : new Set(view.datasetIds as DatasetId[]);
}

/** What moves bring to each target. */
function bytesTo(moves: readonly StoredMove[]): Record<TargetId, number> {
  const bytes: Record<TargetId, number> = {};
  for (const { toTargetId, sizeBytes } of moves) if (toTargetId !== null) bytes[toTargetId as TargetId] = (bytes[toTargetId as TargetId] ?? 0) + sizeBytes;
  return bytes;
}

function figuresOf({ solver, solvedInMs, costBeforePerMonth, costAfterPerMonth, migrationOnce, datasetIds, moves }: StoredPlan): PlanFigures {
  return {
    solver,
    solvedInMs,
    costBeforePerMonth,
    costAfterPerMonth,
    migrationOnce,
    datasets: datasetIds?.length ?? null,
    moves: moves.length,
    jobs: moves.filter((move) => move.jobId !== null).length,
    bytes: moves.reduce((sum, move) => sum + (move.action === 'retire' ? 0 : move.sizeBytes), 0),
  };
}

function digestOf(basis: PlanBasis): string {
  return createHash('sha256').update(basisText(basis)).digest('hex');
}

/** As `JSON.stringify`, some moves at a time: those of a large fleet are megabytes. */
async function jsonInSlices({ moves, ...rest }: StoredPlan): Promise<string> {
  const texts: string[] = [];
  await eachInSlices(moves, (move) => void texts.push(JSON.stringify(move)));
  return `${JSON.stringify(rest).slice(0, -1)},"moves":[${texts.join(',')}]}`;
}

/**
 * The plan before, where the new one says the same on the same grounds: the same moves of the same bytes, none of which became a job now, and the same that
 * can not be met. Who applies it by its name gets what was shown.
 */
async function sameAsBefore(tx: Tx, made: StoredPlan): Promise<{ readonly planId: string; readonly moveIds: readonly string[] } | undefined> {
  if (made.moves.some((move) => move.jobId !== null)) return undefined;
  const before = await fleetPlanGrounds(tx);
  if (before === undefined || before.basis !== (made.basis ?? null) || impossibleIn(before) !== impossibleIn(made)) return undefined;
  const moves = await movesOfPlan(tx, before.planId);
  const isSame = moves.length === made.moves.length && moves.every((move, i) => whatMoves(move) === whatMoves(made.moves[i]!));
  return isSame ? { planId: before.planId, moveIds: moves.map(({ moveId }) => moveId) } : undefined;
}

function impossibleIn({ infeasible }: Pick<PlanView, 'infeasible'>): string {
  return JSON.stringify(infeasible.map((one) => [one.datasetId, one.rules]));
}

function whatMoves(move: PlannedMove): string {
  return JSON.stringify([sameMove(move), move.heldBecause, move.fromReplicaId, move.readReplicaId, move.sizeBytes]);
}

/** What is recommended now takes the place of what was, for the datasets that were looked at; moves that became jobs stay as history. New ones are told. */
async function saveRecommendations(tx: Tx, view: StoredPlan, nowMs: number): Promise<void> {
  const before = await tx.select({ body: recommendation.body }).from(recommendation).orderBy(desc(recommendation.madeAtMs)).limit(recommendationsKept);
  const known = new Set(before.map((row) => sameMove(row.body as MoveView)));
  const lookedAt = view.datasetIds === undefined ? undefined : inArray(recommendation.datasetId, view.datasetIds as DatasetId[]);
  await tx.delete(recommendation).where(and(sql`${recommendation.body}->>'verdict' <> 'admitted'`, lookedAt));
  await tx.copyRows(
    recommendation,
    view.moves.slice(0, recommendationsKept).map((move) => {
      const { fromReplicaId: _, deviceId, priority: __, ...body } = move;
      const judge = deviceId === null ? view.solver : `${view.solver}; drive ${deviceId}`;
      return { recommendationId: ulid(nowMs, systemRandom), planId: view.planId, datasetId: move.datasetId, madeAtMs: nowMs, judge, body };
    }),
  );
  const fresh = view.moves.filter((move) => !known.has(sameMove(move)));
  await appendEvents(
    tx,
    nowMs,
    fresh.map((move) => ({
      type: 'plan.recommended',
      severity: 'info' as const,
      text: `${move.action} ${move.datasetId}${move.toTargetId === null ? '' : ` to ${move.toTargetId}`}: ${move.reason}`,
      ids: {
        planId: view.planId,
        datasetId: move.datasetId,
        need: move.need,
        verdict: move.verdict,
        changePerMonth: move.changePerMonth,
        ...(move.toTargetId === null ? {} : { toTargetId: move.toTargetId }),
      },
      by: 'control-plane',
    })),
  );
  const [oldest] = await tx
    .select({ id: recommendation.recommendationId })
    .from(recommendation)
    .orderBy(desc(recommendation.recommendationId))
    .offset(recommendationsKept)
    .limit(1);
  if (oldest !== undefined) await tx.delete(recommendation).where(lt(recommendation.recommendationId, oldest.id));
}

function sameMove(move: Pick<MoveView, 'datasetId' | 'need' | 'action' | 'fromTargetId' | 'toTargetId' | 'verdict'>): string {
  return [move.datasetId, move.need, move.action, move.fromTargetId, move.toTargetId, move.verdict].join(' ');
}
