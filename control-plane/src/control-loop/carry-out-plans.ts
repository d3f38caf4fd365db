import type { PlanView } from '@data-in-motion/shared/api/decisions';
import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, JobId, PlanId } from '@data-in-motion/shared/domain/ids';
import { asFailure } from '@data-in-motion/shared/failure';
import { eq } from 'drizzle-orm';
import type { DecisionSettings, HeatSettings } from '../fleet/decision-settings.ts';
import { indexOf } from '../fleet/lookup.ts';
import { plansAtWork as planOf, withoutHolds } from '../fleet/plan-holds.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { classifyHeat } from '../heat/classify-heat.ts';
import { advancePlan, ownWork } from '../jobs/advance-plan.ts';
import { atWork } from '../jobs/at-work.ts';
import { planBasisOf } from '../placement/plan-basis.ts';
import { planDifferences, roomDifferences } from '../placement/plan-differences.ts';
import type { Db, Tx } from '../store/database.ts';
import { appendEvents } from '../store/events.ts';
import { readSnapshot } from '../store/load-snapshot.ts';
import { oneAtATime } from '../store/one-at-a-time.ts';
import { beginWork, keepAdvance, lockWork, noteOffer, openMoves, ownJobs, plansAtWork, plansToOffer } from '../store/plan-work.ts';
import { moveOf, type StoredPlan } from '../store/plans.ts';
import { plan } from '../store/schema.ts';
import { makePlan } from './decide.ts';
import { insertMove } from './insert-move.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';

type PlanRow = typeof plan.$inferSelect;

/** `applied` its first moves are jobs · `stale` it does not hold any more, nothing was begun · `refused` there is no such plan, or it was applied before. */
export type Applied =
  | { readonly kind: 'applied'; readonly jobs: readonly JobId[] }
  | { readonly kind: 'stale'; readonly differences: readonly PlanDifference[]; readonly newPlanId: PlanId | null }
  | { readonly kind: 'refused'; readonly code: 'plan.not-found' | 'plan.applied'; readonly because: string };

/**
 * Carry out a plan as a person saw it: the moves of the preview, in its order. In one transaction it is compared with the fleet, the room of all its moves
 * becomes theirs, and the first are begun; the others follow as the limits allow (`carryOutPlans`). Where anything that it rests on has changed, nothing
 * is begun, and a new plan is made to be offered.
 */
export async function applyPlan(parts: LoopParts, write: LeaderWrite, planId: PlanId): Promise<Applied> {
  const applied = await write(async (tx, nowMs) => {
    await oneAtATime(tx, 'plans');
    const [row] = await tx.select().from(plan).where(eq(plan.planId, planId)).for('update');
    if (row === undefined) return { kind: 'refused', code: 'plan.not-found', because: 'There is no such plan any more.' } as const;
    if (row.state === 'applied') return { kind: 'refused', code: 'plan.applied', because: 'The plan was applied before.' } as const;
    const snapshot = await readSnapshot(parts.store, tx, nowMs);
    const differences = await differencesNow(tx, row, snapshot, parts.settings.decisions);
    if (differences.length > 0) return { kind: 'stale', differences } as const;
    await beginWork(tx, row, nowMs);
    return { kind: 'applied', jobs: await carryOn(parts, tx, planId, await readSnapshot(parts.store, tx, nowMs), nowMs) } as const;
  });
  if (applied.kind !== 'stale') return applied;
  return { ...applied, newPlanId: await offer(parts, write, (await bodyOf(parts.store.db, planId))!) };
}

/** What has changed of all that the open moves of a plan rest on, their room and their datasets included. Empty: it still holds. */
export async function differencesNow(db: Db, row: PlanRow, snapshot: FleetSnapshot, settings: DecisionSettings): Promise<PlanDifference[]> {
  const body = row.body as StoredPlan;
  const moves = openMoves(body).map(moveOf);
  if (moves.length === 0) return [];
  if (row.basis === null) return [{ kind: 'plan', id: row.planId, what: 'basis', before: null, after: null, text: 'what the plan rests on was not kept' }];
  const mine = withoutHolds(snapshot, (hold) => hold.planId === row.planId);
  const jobs = await ownJobs(
    db,
    body.moves.flatMap((move) => (move.jobId === null ? [] : [move.jobId as JobId])),
  );
  const own = ownWork([...jobs.values()].map((job) => ({ job })));
  const now = planBasisOf(mine, heatsOfMoved(mine, moves, settings.heat), moves, settings);
  return [...otherPlans(mine, moves), ...planDifferences(row.basis, now, moves, own), ...roomDifferences(mine, row.basis, moves)];
}

/** Of all others nothing is asked, and of a large fleet they take a tenth of a second. */
function heatsOfMoved(snapshot: FleetSnapshot, moves: readonly { readonly datasetId: DatasetId }[], settings: HeatSettings): ReadonlyMap<DatasetId, Heat> {
  const { datasets } = indexOf(snapshot);
  const moved = new Set(moves.map(({ datasetId }) => datasetId));
  return new Map(
    [...moved].flatMap((datasetId) => {
      const facts = datasets.get(datasetId);
      return facts === undefined ? [] : [[datasetId, classifyHeat(facts, snapshot.takenAtMs, settings)] as const];
    }),
  );
}

/** One plan at a time works on a dataset. */
function otherPlans(snapshot: FleetSnapshot, moves: readonly { readonly datasetId: DatasetId }[]): PlanDifference[] {
  const leftTo = planOf(snapshot);
  const found = moves.flatMap(({ datasetId }): [PlanId, PlanDifference][] => {
    const planId = leftTo.get(datasetId);
    if (planId === undefined) return [];
    return [[planId, { kind: 'plan', id: planId, what: 'work', before: null, after: datasetId, text: `plan ${planId} is being carried out for ${datasetId}` }]];
  });
  return [...new Map(found).values()];
}

/** Take every applied plan one step further. */
export async function carryOutPlans(parts: LoopParts, write: LeaderWrite): Promise<void> {
  for (const planId of await plansAtWork(parts.store.db))
    await write(async (tx, nowMs) => {
      await oneAtATime(tx, 'plans');
      await carryOn(parts, tx, planId, await readSnapshot(parts.store, tx, nowMs), nowMs);
    });
}

/** A plan that stopped is offered another, for the same datasets. */
export async function offerPlans(parts: LoopParts, write: LeaderWrite): Promise<void> {
  for (const { planId, body } of await plansToOffer(parts.store.db)) {
    const newPlanId = await offer(parts, write, body);
    await write((tx) => noteOffer(tx, planId, newPlanId));
  }
}

/** Null where none could be made: what has changed is told all the same. */
async function offer(parts: LoopParts, write: LeaderWrite, body: Pick<PlanView, 'datasetIds'>): Promise<PlanId | null> {
  const datasetIds = body.datasetIds === undefined ? null : new Set(body.datasetIds as DatasetId[]);
  try {
    return (await makePlan(parts, write, { dryRun: true, datasetIds })).planId as PlanId;
  } catch (thrown) {
    parts.onFailure(asFailure(thrown));
    return null;
  }
}

async function bodyOf(db: Db, planId: PlanId): Promise<StoredPlan | undefined> {
  const [row] = await db.select({ body: plan.body }).from(plan).where(eq(plan.planId, planId));
  return row?.body as StoredPlan | undefined;
}

async function carryOn(parts: LoopParts, tx: Tx, planId: PlanId, snapshot: FleetSnapshot, nowMs: number): Promise<JobId[]> {
  const { decisions } = parts.settings;
  const locked = await lockWork(tx, planId);
  if (locked === undefined) return [];
  const moves = locked.work.moves.map(({ move }) => move);
  const advance = advancePlan(atWork(snapshot), heatsOfMoved(snapshot, moves, decisions.heat), locked.work, decisions);
  const begun = new Map<string, JobId>();
  const refused = new Map<string, string>();
  for (const { moveId, move } of advance.start) {
    const jobId = await insertMove(tx, snapshot, move, planId, nowMs);
    if (jobId === null) refused.set(moveId, 'a job for it is under way, or was given up lately');
    else begun.set(moveId, jobId);
  }
  const before = locked.row.execution!;
  const after = await keepAdvance(tx, locked.row, locked.work, advance, begun, refused, nowMs);
  if (before.state === 'running' && after.state !== 'running') await tellEnd(tx, planId, advance.differences, nowMs);
  return [...begun.values()];
}

async function tellEnd(tx: Tx, planId: PlanId, differences: readonly PlanDifference[], nowMs: number): Promise<void> {
  const stopped = differences.length > 0;
  const text = stopped ? `The applied plan has stopped: ${differences[0]!.text}` : 'The applied plan is carried out';
  const type = stopped ? 'plan.stopped' : 'plan.done';
  await appendEvents(tx, nowMs, [{ type, severity: stopped ? 'warning' : 'info', text, ids: { planId }, by: 'control-plane' }]);
}
