import type { PlanView } from '@data-in-motion/shared/api/decisions';
import type { DatasetId, JobId, NodeId, PlanId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { Order } from '@data-in-motion/shared/protocol/messages';
import { eq, inArray, sql } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../../src/fleet/decision-settings.ts';
import { callOffPlan } from '../../src/store/call-off-plan.ts';
import { loadSnapshot } from '../../src/store/load-snapshot.ts';
import { viewsOf } from '../../src/store/plan-work.ts';
import { readPrices, writePrices } from '../../src/store/prices.ts';
import { dataset, event, job, plan, replica, target } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { FakeFleet, sizeBytes } from './fake-fleet.ts';

const names = ['ledgers', 'maps', 'photos', 'scans'];
const slow = { ...defaultDecisionSettings, limits: { ...defaultDecisionSettings.limits, underWayInFleet: 1 } };
const noCopies = (order: Order): boolean => order.kind !== 'copy';

/** Four datasets on one shelf, a cheaper one beside it, and policies that leave every move to a person. */
async function advisedFleet(store: ConstructorParameters<typeof FakeFleet>[0]) {
  const fleet = new FakeFleet(store, { settings: { decisions: { ...slow, heat: { ...slow.heat, coldAfterMs: 3_600_000 } } } });
  await fleet.build({ nodes: 2, policy: { copies: 1, mode: 'advisory', pinnedTargets: ['t11' as TargetId] } });
  const { db } = fleet.store;
  const setClass = (targetId: string, priceClass: string) =>
    db
      .update(target)
      .set({ description: sql`jsonb_set(${target.description}, '{priceClass}', ${JSON.stringify(priceClass)}::jsonb)` })
      .where(eq(target.targetId, targetId as TargetId));
  for (const name of names) await fleet.addDataset(name, 'node-1' as NodeId);
  await fleet.runUntil(async () => (await db.select().from(job).where(eq(job.state, 'done'))).length === names.length);
  await setClass('t11', 'onprem-nvme');
  await db.update(target).set({ latencyP95Ms: 5 });
  for (const name of names)
    await db
      .update(dataset)
      .set({ ownPolicy: { pinnedTargets: [] } })
      .where(eq(dataset.datasetId, name as DatasetId));
  // Datasets rest after their import; then the shelf beside is worth the move.
  await fleet.clock.advance(7_200_000);
  for (const agent of fleet.agents.values()) await fleet.ask(agent);
  const view = async (planId: string): Promise<PlanView> => {
    const [row] = await db
      .select()
      .from(plan)
      .where(eq(plan.planId, planId as PlanId));
    return (await viewsOf(db, [row!], fleet.clock.nowMs()))[0]!;
  };
  const preview = () => fleet.keeper.makePlan(true, undefined);
  const apply = (made: PlanView, keeper = fleet.keeper) => keeper.applyPlan(made.planId as PlanId);
  const jobsOf = (made: PlanView) =>
    db
      .select()
      .from(job)
      .where(eq(job.planId, made.planId as PlanId))
      .orderBy(job.jobId);
  const raise = async (priceClass: string) => {
    const { entries } = await readPrices(db);
    await writePrices(
      fleet.store,
      null,
      entries.map((entry) =>
        entry.priceClass === priceClass ? { ...entry, prices: { ...entry.prices, storagePerGbMonth: entry.prices.storagePerGbMonth * 1.01 } } : entry,
      ),
    );
  };
  return { fleet, db, view, preview, apply, jobsOf, raise };
}

describe.each(storeKinds)('an applied plan on $kind', { timeout: 240_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('does the moves of its preview, byte for byte and in their order, as the limits allow', async () => {
    const { fleet, view, preview, apply, jobsOf } = await advisedFleet(await open.open());
    const made = await preview();
    expect(made.moves.map((move) => [move.order, move.action, move.fromTargetId, move.toTargetId])).toEqual(names.map((_, i) => [i + 1, 'move', 't11', 't21']));
    const seen = await view(made.planId);
    const applied = await apply(made);
    expect(applied).toMatchObject({ kind: 'applied', jobs: [expect.any(String)] });
    expect((await view(made.planId)).execution).toMatchObject({ state: 'running', running: 1, waiting: names.length - 1, done: 0 });
    expect((await view(made.planId)).moves.map((move) => move.progress)).toMatchObject([
      { stage: 'running', place: null },
      { stage: 'waiting', place: 1, because: '1 jobs are under way in the fleet, 1 may be' },
      { stage: 'waiting', place: 2 },
      { stage: 'waiting', place: 3 },
    ]);
    await fleet.runUntil(async () => (await view(made.planId)).execution?.state === 'done');
    const jobs = await jobsOf(made);
    const as = (one: { datasetId: string; fromTargetId: string | null; toTargetId: string | null; sizeBytes: number; need: string | null; reason: string }) =>
      JSON.stringify([one.datasetId, one.fromTargetId, one.toTargetId, one.sizeBytes, one.need, one.reason]);
    expect(jobs.map(as)).toEqual(made.moves.map(as));
    const shown = await view(made.planId);
    expect(shown.execution).toMatchObject({ state: 'done', done: names.length, running: 0, waiting: 0, failed: 0, leftOut: 0 });
    // What was previewed is still what is told, with what came of it beside it.
    const asPreviewed = ({ progress: _, jobId: __, ...move }: PlanView['moves'][number]) => JSON.stringify(move);
    expect(shown.moves.map(asPreviewed)).toEqual(seen.moves.map(asPreviewed));
    expect(seen.moves).toEqual(made.moves);
    expect(await apply(made)).toMatchObject({ kind: 'refused', code: 'plan.applied' });
    await fleet.dispatch.stop();
  });

  test('is refused when anything that it rests on has changed since: nothing is begun, what changed is told, and another plan is offered', async () => {
    const { fleet, db, view, preview, apply, jobsOf, raise } = await advisedFleet(await open.open());
    const changes: [string, () => Promise<unknown>, object][] = [
      ['a price', () => raise('onprem-hdd'), { kind: 'price', id: 't21', what: 'storagePerGbMonth', before: 0.011 }],
      [
        'a policy',
        () =>
          db
            .update(dataset)
            .set({ ownPolicy: { pinnedTargets: [], regions: ['here'] } })
            .where(eq(dataset.datasetId, 'photos' as DatasetId)),
        { kind: 'policy', id: 'photos', what: 'regions', before: '', after: 'here' },
      ],
      [
        'a copy',
        () =>
          db
            .update(replica)
            .set({ state: 'suspect' })
            .where(eq(replica.datasetId, 'scans' as DatasetId)),
        { kind: 'copy', what: 'state', before: 'verified', after: 'suspect' },
      ],
      [
        'room',
        () =>
          db
            .update(target)
            .set({ usedBytes: 1e12 - sizeBytes })
            .where(eq(target.targetId, 't21' as TargetId)),
        { kind: 'target', id: 't21', what: 'room', after: sizeBytes },
      ],
    ];
    for (const [, change, difference] of changes) {
      const made = await preview();
      expect(made.moves.length).toBeGreaterThan(1);
      expect(await fleet.keeper.planDifferences(made.planId as PlanId)).toEqual([]);
      await change();
      expect(await fleet.keeper.planDifferences(made.planId as PlanId)).toMatchObject([difference]);
      const refused = await apply(made);
      expect(refused).toMatchObject({ kind: 'stale', differences: [difference], newPlanId: expect.any(String) });
      expect(await jobsOf(made)).toEqual([]);
      const offered = await view((refused as { newPlanId: string }).newPlanId);
      expect(offered).toMatchObject({ state: 'preview' });
      expect(await fleet.keeper.planDifferences(offered.planId as PlanId)).toEqual([]);
    }
    await fleet.dispatch.stop();
  });

  test('stops before the first move whose grounds change on the way; what runs is finished, and another plan is offered', async () => {
    const { fleet, db, view, preview, apply, jobsOf, raise } = await advisedFleet(await open.open());
    const made = await preview();
    await apply(made);
    await fleet.passAndWork(1, noCopies);
    await raise('onprem-hdd');
    await fleet.passAndWork(1, noCopies);
    // Its first move runs still: what waits behind it is the first affected one, and stops the plan.
    const stopped = await view(made.planId);
    expect(stopped.execution).toMatchObject({
      state: 'stopped',
      running: 1,
      waiting: 0,
      leftOut: names.length - 1,
      differences: [{ kind: 'price', id: 't21' }],
    });
    await fleet.runUntil(async () => (await view(made.planId)).execution!.done === 1);
    const ended = (await view(made.planId)).execution!;
    expect(ended).toMatchObject({ state: 'stopped', running: 0, leftOut: names.length - 1, newPlanId: expect.any(String), endedAtMs: expect.any(Number) });
    expect((await jobsOf(made)).length).toBe(1);
    const [offered] = await db
      .select()
      .from(plan)
      .where(eq(plan.planId, ended.newPlanId as PlanId));
    expect((offered!.body as PlanView).moves.map((move) => move.datasetId)).toEqual(made.moves.slice(1).map((move) => move.datasetId));
    await fleet.dispatch.stop();
  });

  test('leaves out what comes after a move that failed, and is the only one that works on its datasets', async () => {
    const { fleet, db, view, preview, apply, jobsOf } = await advisedFleet(await open.open());
    const [first, second] = [await preview(), await fleet.keeper.makePlan(true, ['maps'])];
    await apply(first);
    expect(await apply(second)).toMatchObject({ kind: 'stale', differences: [{ kind: 'plan', id: first.planId, what: 'work' }] });
    const [begun] = await jobsOf(first);
    await db
      .update(job)
      .set({ state: 'dead-letter', active: false, endedAtMs: fleet.clock.nowMs() })
      .where(inArray(job.jobId, [begun!.jobId as JobId]));
    await fleet.runUntil(async () => (await view(first.planId)).execution?.state === 'done');
    expect((await view(first.planId)).execution).toMatchObject({ failed: 1, done: names.length - 1, leftOut: 0 });
    await fleet.dispatch.stop();
  });

  test('is called off as a whole: what waits is never begun and frees its room, what runs is finished, and no other plan is offered', async () => {
    const store = await open.open();
    const { fleet, db, view, preview, apply, jobsOf } = await advisedFleet(store);
    const made = await preview();
    const callOff = (planId: string) => store.transaction(async (tx) => callOffPlan(tx, planId as PlanId, 'anna', await store.nowMs(tx)));
    expect(await callOff(made.planId)).toMatchObject({ ok: false, code: 'plan.not-applied' });
    await apply(made);
    await fleet.passAndWork(1, noCopies);
    const held = async () => (await loadSnapshot(store)).holds.map(({ planId, bytes }) => [planId, bytes]);
    expect(await held()).toEqual([[made.planId, { t21: (names.length - 1) * sizeBytes }]]);
    expect(await callOff(made.planId)).toEqual({ ok: true, leftOut: names.length - 1, running: 1 });
    expect(await held()).toEqual([[made.planId, {}]]);
    const called = await view(made.planId);
    expect(called.execution).toMatchObject({
      state: 'called-off',
      running: 1,
      waiting: 0,
      leftOut: names.length - 1,
      endedAtMs: null,
      calledOff: { by: 'anna' },
    });
    expect(called.moves.slice(1).map((move) => move.progress)).toEqual(
      names.slice(1).map(() => ({ stage: 'left-out', because: 'called off by anna', place: null })),
    );
    expect(await callOff(made.planId)).toMatchObject({ ok: false, code: 'plan.ended' });
    await fleet.runUntil(async () => (await view(made.planId)).execution?.done === 1);
    await fleet.passAndWork(3);
    expect((await view(made.planId)).execution).toMatchObject({ state: 'called-off', done: 1, running: 0, leftOut: names.length - 1, newPlanId: null });
    expect((await view(made.planId)).execution?.endedAtMs).not.toBeNull();
    expect(await jobsOf(made)).toHaveLength(1);
    const events = await db.select().from(event).where(eq(event.type, 'plan.called-off'));
    expect(events).toMatchObject([{ by: 'anna', text: 'anna called the applied plan off: 3 of its moves are not begun, 1 under way are finished' }]);
    expect(await held()).toEqual([]);
    await fleet.dispatch.stop();
  });

  test('goes on where it was when another control plane takes over', async () => {
    const store = await open.open();
    const { fleet, view, preview, apply } = await advisedFleet(store);
    const made = await preview();
    await apply(made);
    await fleet.passAndWork(1, noCopies);
    const other = fleet.newKeeper('two', { settings: { decisions: slow } });
    await fleet.clock.advance(120_000);
    for (let round = 0; round < 60 && (await view(made.planId)).execution?.state === 'running'; round++) {
      await fleet.workRound();
      await other.pass();
      await other.settled();
      await fleet.clock.advance(2_000);
    }
    expect((await view(made.planId)).execution).toMatchObject({ state: 'done', done: names.length });
    await fleet.dispatch.stop();
  });

  test('has its room from its preview on: held for ten minutes, or until another preview takes its place, also over a restart', async () => {
    const { fleet, view, preview } = await advisedFleet(await open.open());
    const holds = async () => (await loadSnapshot(fleet.store)).holds;
    const made = await preview();
    expect(made.roomHeldUntilMs).toBe(made.madeAtMs + 600_000);
    expect(await holds()).toEqual([{ planId: made.planId, untilMs: made.roomHeldUntilMs, bytes: { t21: names.length * sizeBytes }, datasetIds: [] }]);
    const next = await fleet.keeper.makePlan(true, ['maps']);
    expect((await holds()).map((hold) => hold.planId)).toEqual([next.planId]);
    await fleet.clock.advance(600_001);
    expect(await holds()).toEqual([]);
    expect((await view(next.planId)).roomHeldUntilMs).toBe(null);
    await fleet.dispatch.stop();
  });
});
