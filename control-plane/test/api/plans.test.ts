import type { PlanSummary, PlanView, RecommendationView } from '@data-in-motion/shared/api/decisions';
import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import { systemClock } from '@data-in-motion/shared/clock';
import type { DatasetId, JobId, PlanId, TargetId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlan } from '../../src/control-loop/decide.ts';
import { defaultLoopSettings, type LoopParts } from '../../src/control-loop/parts.ts';
import { noParts } from '../../src/placement/objective.ts';
import type { Move, Plan } from '../../src/placement/plan.ts';
import { beginWork } from '../../src/store/plan-work.ts';
import { alert, planMove, plan as planTable } from '../../src/store/schema.ts';
import { type Interface, openInterface, problem } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

/** A plan that advises one move for each of these datasets and finds each impossible. */
const planFor = (datasetIds: readonly string[]): Plan => ({
  madeAtMs: systemClock.nowMs(),
  solver: 'by hand',
  solvedInMs: 1,
  objectivePerMonth: 1,
  lowerBoundPerMonth: 1,
  parts: noParts,
  full: [],
  shadowPrices: [],
  leftForLater: { moves: 0, savesPerMonth: 0 },
  gap: 0,
  costBeforePerMonth: 1,
  costAfterPerMonth: 1,
  moves: datasetIds.map(
    (datasetId): Move => ({
      datasetId: datasetId as DatasetId,
      need: 'cheaper-place',
      action: 'move',
      deviceId: null,
      fromReplicaId: null,
      fromTargetId: null,
      toTargetId: 'berlin-nvme' as TargetId,
      readReplicaId: null,
      readTargetId: null,
      sizeBytes: 1,
      reason: 'cheaper',
      confidence: 1,
      costBefore: null,
      costAfter: null,
      changePerMonth: -1,
      migrationOnce: 0,
      paybackDays: 1,
      expectedMs: 1,
      priority: 3,
    }),
  ),
  infeasible: datasetIds.map((datasetId) => ({ datasetId: datasetId as DatasetId, rules: ['spread'], cheapestWayOut: 'another site' })),
});

async function plan(found: readonly string[], asked: readonly string[] | null): Promise<PlanView> {
  const parts = { store: api.store, settings: defaultLoopSettings, solve: async () => planFor(found) } as unknown as LoopParts;
  const datasetIds = asked === null ? null : new Set(asked as readonly DatasetId[]);
  return makePlan(parts, (work) => api.store.transaction(async (tx) => work(tx, await api.store.nowMs(tx))), { dryRun: false, datasetIds });
}
const read = async <T>(at: string) => (await (await api.call('GET', at, { role: 'viewer' })).json()) as T;
const recommended = async () => (await read<{ items: RecommendationView[] }>('/v1/recommendations')).items.map((one) => one.datasetId).sort();
const impossible = async () =>
  (await api.store.db.select().from(alert))
    .filter((row) => row.endedAtMs === null)
    .map((row) => row.ids['datasetId'])
    .sort();

test('a plan for one dataset takes nothing away from the plan of the fleet', async () => {
  const whole = await plan(['maps', 'scans'], null);
  await plan([], ['maps']);
  expect((await read<PlanView>('/v1/plans/current')).planId).toBe(whole.planId);
  expect(await recommended()).toEqual(['scans']);
  expect(await impossible()).toEqual(['scans']);

  const next = await plan(['maps'], null);
  expect((await read<PlanView>('/v1/plans/current')).planId).toBe(next.planId);
  expect(await recommended()).toEqual(['maps']);
  expect(await impossible()).toEqual(['maps']);
  const plans = (await read<{ items: PlanSummary[] }>('/v1/plans')).items;
  expect(plans.filter((one) => one.state === 'current').map((one) => one.planId)).toEqual([next.planId]);
});

test('a list of plans counts their moves, and does not bring them', async () => {
  const { planId } = await plan(['maps', 'scans'], ['maps', 'scans', 'tiles']);
  const [newest] = (await read<{ items: PlanSummary[] }>('/v1/plans?limit=1')).items;
  expect(newest).toMatchObject({ planId, state: 'current', datasets: 3, moves: 2, jobs: 0, bytes: 2, solver: 'by hand', roomHeldUntilMs: null });
  expect(newest).not.toHaveProperty('basis');

  // Once it is applied the list tells how far it is, also to who asks for those at work alone.
  await api.store.transaction(async (tx) => {
    const [row] = await tx
      .select()
      .from(planTable)
      .where(eq(planTable.planId, planId as PlanId));
    await beginWork(tx, row!, 5);
    await tx
      .update(planMove)
      .set({ stage: 'running', jobId: 'job-1' as JobId })
      .where(eq(planMove.datasetId, 'maps' as DatasetId));
  });
  const execution = { state: 'running', waiting: 1, running: 1, done: 0, appliedAtMs: 5, endedAtMs: null };
  for (const at of ['/v1/plans?limit=1', '/v1/plans?running=true'])
    expect((await read<{ items: PlanSummary[] }>(at)).items).toMatchObject([{ planId, state: 'applied', moves: 2, jobs: 1, execution }]);
  await api.store.db.delete(planMove);
  await api.store.db.delete(planTable).where(eq(planTable.planId, planId as PlanId));
});

test('a plan for a dataset that is not there is refused', async () => {
  const answer = await api.call('POST', '/v1/plans', { role: 'operator', body: { datasetIds: ['nobody'] } });
  expect(answer.status).toBe(404);
});

test('a plan that does not hold any more is refused with what has changed, as data, and with the plan that is offered instead', async () => {
  const difference: PlanDifference = { kind: 'price', id: 'rome-disk', what: 'storagePerGbMonth', before: 0.02, after: 0.03, text: 'rome-disk is dearer' };
  api.answerPlans({ applyPlan: async () => ({ kind: 'stale', differences: [difference, difference], newPlanId: '01NEW' as PlanId }) });
  const answer = await api.call('POST', '/v1/plans/01OLD/apply', { role: 'operator', body: {} });
  expect(answer.status).toBe(409);
  expect(await problem(answer)).toMatchObject({
    code: 'plan.stale',
    detail: 'Plan 01OLD does not hold any more, and nothing of it was begun: rome-disk is dearer, and 1 more.',
    fix: 'Look at the plan that was made instead: dim plan show 01NEW',
    differences: [difference, difference],
    newPlanId: '01NEW',
  });
});

test('one plan tells whether it holds; one that was applied tells how far it is instead', async () => {
  const { planId } = await plan(['maps'], ['maps']);
  api.answerPlans({ planDifferences: async () => [] });
  const shown = await read<PlanView>(`/v1/plans/${planId}`);
  expect([shown.differences, shown.execution, shown.basis]).toEqual([[], undefined, expect.stringMatching(/^[0-9a-f]{64}$/)]);
  api.answerPlans({ planDifferences: async () => null });
  expect(await read<PlanView>(`/v1/plans/${planId}`)).not.toHaveProperty('differences');
});
