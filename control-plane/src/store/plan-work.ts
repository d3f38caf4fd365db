import type { MoveStage, MoveView, PlanExecution as PlanExecutionView, PlanSummary, PlanView } from '@data-in-motion/shared/api/decisions';
import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import type { DatasetId, JobId, PlanId, TargetId } from '@data-in-motion/shared/domain/ids';
import { count, desc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { OwnJob, PlanAdvance, PlanWork, WorkMove } from '../jobs/advance-plan.ts';
import type { Db, Tx } from './database.ts';
import { moveOf, type StoredMove, type StoredPlan } from './plans.ts';
import { job, type PlanExecution, plan, planMove } from './schema.ts';

type PlanRow = typeof plan.$inferSelect;
type PlanMoveRow = typeof planMove.$inferSelect;

/** Rows of one statement: each has nine values, and a statement takes 65,535. */
const rowsAtOnce = 5_000;

/** The moves of a plan that are not jobs yet, as they were shown. */
export function openMoves(body: StoredPlan): readonly StoredMove[] {
  return body.moves.filter((move) => move.jobId === null);
}

/** The plan is applied: from here on its open moves wait in their order, and their room is theirs. Those that were jobs before belong to its work. */
export async function beginWork(tx: Tx, row: PlanRow, nowMs: number): Promise<void> {
  const { moves } = row.body as StoredPlan;
  const execution: PlanExecution = { state: 'running', appliedAtMs: nowMs, movedAtMs: nowMs, endedAtMs: null, differences: [], newPlanId: null };
  await tx
    .update(plan)
    .set({ state: 'applied', execution, heldBytes: null, heldUntilMs: null, body: sql`jsonb_set(${plan.body}, '{state}', '"applied"')` })
    .where(eq(plan.planId, row.planId));
  const values = moves.map((move, place) => ({
    moveId: move.moveId,
    planId: row.planId,
    place,
    stage: move.jobId === null ? ('waiting' as const) : ('running' as const),
    jobId: move.jobId as JobId | null,
    datasetId: move.datasetId as DatasetId,
    toTargetId: move.toTargetId as TargetId | null,
    sizeBytes: move.sizeBytes,
  }));
  for (let from = 0; from < values.length; from += rowsAtOnce) await tx.insert(planMove).values(values.slice(from, from + rowsAtOnce));
}

/** Plans that are not at their end, oldest first. */
export async function plansAtWork(db: Db): Promise<PlanId[]> {
  const rows = await db
    .selectDistinct({ planId: planMove.planId })
    .from(planMove)
    .where(inArray(planMove.stage, ['waiting', 'running']))
    .orderBy(planMove.planId);
  return rows.map(({ planId }) => planId);
}

/** Plans that stopped and for which no other was made yet. */
export async function plansToOffer(db: Db): Promise<{ planId: PlanId; body: PlanView }[]> {
  return (await db
    .select({ planId: plan.planId, body: plan.body })
    .from(plan)
    .where(sql`${plan.execution}->>'state' = 'stopped' and ${plan.execution}->'newPlanId' = 'null'::jsonb`)
    .orderBy(plan.planId)) as { planId: PlanId; body: PlanView }[];
}

/** The plan to be offered instead; null says that none could be made. */
export async function noteOffer(tx: Tx, planId: PlanId, newPlanId: PlanId | null): Promise<void> {
  await tx
    .update(plan)
    .set({ execution: sql`jsonb_set(${plan.execution}, '{newPlanId}', to_jsonb(${newPlanId ?? ''}::text))` })
    .where(eq(plan.planId, planId));
}

/** An applied plan, locked until the transaction ends, with its moves and their jobs; undefined when it was not applied. */
export async function lockWork(tx: Tx, planId: PlanId): Promise<{ row: PlanRow; work: PlanWork } | undefined> {
  const [row] = await tx.select().from(plan).where(eq(plan.planId, planId)).for('update');
  if (row === undefined || row.execution === null || row.basis === null) return undefined;
  const stages = new Map((await tx.select().from(planMove).where(eq(planMove.planId, planId))).map((each) => [each.moveId, each]));
  const moves = (row.body as StoredPlan).moves;
  const jobs = await ownJobs(
    tx,
    [...stages.values()].flatMap((each) => each.jobId ?? []),
  );
  const worked = moves.map((move): WorkMove => {
    const { stage, because, jobId } = stages.get(move.moveId)!;
    return { moveId: move.moveId, move: moveOf(move), stage, because, job: jobId === null ? null : (jobs.get(jobId) ?? null) };
  });
  return { row, work: { planId, basis: row.basis, moves: worked, stopped: row.execution.state !== 'running', movedAtMs: row.execution.movedAtMs } };
}

export async function ownJobs(db: Db, jobIds: readonly JobId[]): Promise<ReadonlyMap<JobId, OwnJob>> {
  if (jobIds.length === 0) return new Map();
  const { jobId, purpose, state, fromReplicaId, toReplicaId } = job;
  const rows = await db
    .select({ jobId, purpose, state, fromReplicaId, toReplicaId })
    .from(job)
    .where(inArray(job.jobId, [...jobIds]));
  return new Map(rows.map((row) => [row.jobId, row]));
}

/**
 * Write down what became of an applied plan.
 *
 * @param begun job by move, of those that were started; a move that could not become one is among `refused`
 */
export async function keepAdvance(
  tx: Tx,
  row: PlanRow,
  before: PlanWork,
  advance: PlanAdvance,
  begun: ReadonlyMap<string, JobId>,
  refused: ReadonlyMap<string, string>,
  nowMs: number,
): Promise<PlanExecution> {
  const was = new Map(before.moves.map((each) => [each.moveId, each]));
  const after = advance.moves.map((each): { moveId: string; stage: MoveStage; because: string | null } => {
    if (begun.has(each.moveId)) return { moveId: each.moveId, stage: 'running', because: null };
    const because = refused.get(each.moveId);
    return because === undefined ? each : { moveId: each.moveId, stage: 'failed', because };
  });
  const changed = after.filter(({ moveId, stage, because }) => was.get(moveId)!.stage !== stage || was.get(moveId)!.because !== because);
  await writeStages(
    tx,
    changed.map(({ moveId, stage, because }) => ({ moveId, stage, because, jobId: begun.get(moveId) ?? null })),
  );
  const moved = changed.some(({ moveId, stage }) => was.get(moveId)!.stage !== stage);
  const open = after.some(({ stage }) => stage === 'waiting' || stage === 'running');
  const stops = advance.differences.length > 0;
  const execution: PlanExecution = {
    ...row.execution!,
    ...(moved ? { movedAtMs: nowMs } : {}),
    ...(stops
      ? { state: 'stopped' as const, differences: advance.differences }
      : !open && row.execution!.state === 'running'
        ? { state: 'done' as const }
        : {}),
    endedAtMs: open ? null : (row.execution!.endedAtMs ?? nowMs),
  };
  await tx.update(plan).set({ execution }).where(eq(plan.planId, row.planId));
  return execution;
}

/** In one statement: of a large plan thousands wait, and the reason of each may be another with every pass. */
async function writeStages(tx: Tx, rows: readonly { moveId: string; stage: MoveStage; because: string | null; jobId: JobId | null }[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(sql`update plan_move m set stage = v.stage, because = v.because, job_id = coalesce(v."jobId", m.job_id)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v("moveId" text, stage text, because text, "jobId" text) where m.move_id = v."moveId"`);
}

/** Plans as they are shown: the body as it was, with what became of its moves beside it. */
export async function viewsOf(db: Db, rows: readonly PlanRow[], nowMs: number): Promise<PlanView[]> {
  const applied = rows.filter((row) => row.execution !== null).map((row) => row.planId);
  const moves = applied.length === 0 ? [] : await db.select().from(planMove).where(inArray(planMove.planId, applied)).orderBy(planMove.place);
  const byPlan = Map.groupBy(moves, (each) => each.planId);
  return rows.map((row) => viewOf(row, byPlan.get(row.planId) ?? [], nowMs));
}

function viewOf(row: PlanRow, stages: readonly PlanMoveRow[], nowMs: number): PlanView {
  const body = row.body as StoredPlan;
  const view = { ...body, state: row.state, roomHeldUntilMs: heldNow(row, nowMs) };
  if (row.execution === null) return view;
  const byMove = new Map(stages.map((each) => [each.moveId, each]));
  const waiting = stages.filter((each) => each.stage === 'waiting').map((each) => each.moveId);
  const moves = body.moves.map((move): MoveView => {
    const at = byMove.get(move.moveId);
    if (at === undefined) return move;
    const place = at.stage === 'waiting' ? waiting.indexOf(move.moveId) + 1 : null;
    const progress = { stage: at.stage, because: at.because, place };
    return { ...move, jobId: at.jobId, progress };
  });
  return { ...view, moves, execution: executionView(row.execution, countStages(stages)) };
}

type StageCounts = ReadonlyMap<MoveStage, number>;

function countStages(stages: readonly PlanMoveRow[]): StageCounts {
  return new Map([...Map.groupBy(stages, (each) => each.stage)].map(([stage, each]) => [stage, each.length]));
}

/** Plans as a list shows them, newest first: nothing of their bodies is read. */
export async function plansListed(db: Db, which: SQL | undefined, most: number, nowMs: number): Promise<PlanSummary[]> {
  const { planId, madeAtMs, state, summary, heldUntilMs, execution } = plan;
  const rows = await db.select({ planId, madeAtMs, state, summary, heldUntilMs, execution }).from(plan).where(which).orderBy(desc(planId)).limit(most);
  const applied = rows.filter((row) => row.execution !== null).map((row) => row.planId);
  const counted =
    applied.length === 0
      ? []
      : await db
          .select({ planId: planMove.planId, stage: planMove.stage, moves: count(), jobs: count(planMove.jobId) })
          .from(planMove)
          .where(inArray(planMove.planId, applied))
          .groupBy(planMove.planId, planMove.stage);
  const byPlan = Map.groupBy(counted, (each) => each.planId);
  return rows.map((row): PlanSummary => {
    const shown = { planId: row.planId, madeAtMs: row.madeAtMs, state: row.state, ...row.summary, roomHeldUntilMs: heldNow(row, nowMs) };
    if (row.execution === null) return shown;
    const stages = byPlan.get(row.planId) ?? [];
    const execution = executionView(row.execution, new Map(stages.map((each) => [each.stage, each.moves])));
    return { ...shown, jobs: stages.reduce((sum, each) => sum + each.jobs, 0), execution };
  });
}

function heldNow({ heldUntilMs }: Pick<PlanRow, 'heldUntilMs'>, nowMs: number): number | null {
  return heldUntilMs !== null && heldUntilMs > nowMs ? heldUntilMs : null;
}

function executionView(execution: PlanExecution, stages: StageCounts): PlanExecutionView {
  const count = (stage: MoveStage): number => stages.get(stage) ?? 0;
  const { state, appliedAtMs, endedAtMs, differences, newPlanId, calledOff } = execution;
  return {
    state,
    done: count('done'),
    running: count('running'),
    waiting: count('waiting'),
    failed: count('failed'),
    leftOut: count('left-out'),
    appliedAtMs,
    endedAtMs,
    differences: differences as PlanDifference[],
    newPlanId: newPlanId === '' ? null : newPlanId,
    ...(calledOff === undefined ? {} : { calledOff }),
  };
}
