import { and, eq, ne } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { alert, job, jobTransition, pointer, type replica, target } from '../../src/store/schema.ts';
import { storeTargets } from '../../src/store/targets.ts';
import type { FakeAgent } from '../jobs/fake-fleet.ts';
import { n1, photos, startedFleet } from '../jobs/started-fleet.ts';
import { storeKinds } from '../stores.ts';

describe.each(storeKinds)('what an absence left undone, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  async function start(nodes: number, copies: number) {
    const all = await startedFleet(await open.open(), { nodes, policy: { copies } });
    /** A round of agents that do what they are asked for, but not what the test keeps from them. */
    const round = (isDone: (kind: string, agent: FakeAgent) => boolean): Promise<void> => all.fleet.passAndWork(1, (order, agent) => isDone(order.kind, agent));
    return { ...all, round };
  }

  /** Two copies; the second has just joined, and its agent has not named it. */
  async function joined() {
    const all = await start(2, 2);
    await all.fleet.addDataset(photos, n1);
    const switched = async () => (await all.jobs('copy')).filter((one) => one.state === 'switched');
    const isDone = (kind: string, agent: FakeAgent): boolean => kind !== 'activate' || ![...agent.disk.keys()].includes(named!);
    let named: (typeof replica.$inferSelect)['replicaId'] | undefined;
    for (let i = 0; (await switched()).length === 0; i++) {
      if (i > 60) throw new Error('no second copy');
      named = (await all.jobs('copy'))[0]?.toReplicaId ?? undefined;
      await all.round(isDone);
    }
    const [row] = await switched();
    const copy = () => all.copyOf(row!.toReplicaId!);
    const its = () => all.jobOf(row!.jobId);
    const [held] = await all.db.select().from(pointer);
    return { ...all, copy, its, held: held!, isDone };
  }

  test('a copy that only joined is named when its lost node is back; readers stay where they are', async () => {
    const { fleet, db, copy, its, held, agentAt } = await joined();
    const agent = agentAt((await copy()).targetId);
    agent.isAway = true;
    await fleet.runUntil(async () => !(await its()).active, 60, 6_000);
    expect(await copy()).toMatchObject({ activated: false, state: 'suspect' });
    agent.isAway = false;
    await fleet.runUntil(async () => (await copy()).activated && (await copy()).state === 'verified', 60);
    expect(await db.select().from(pointer)).toEqual([held]);
    await fleet.dispatch.stop();
  });

  test('a copy is named when its agent declares the target again', async () => {
    const { fleet, db, copy, its, held, agentAt, round, isDone } = await joined();
    const { nodeId } = agentAt((await copy()).targetId);
    const [{ description }] = (await db
      .select()
      .from(target)
      .where(eq(target.targetId, (await copy()).targetId))) as [typeof target.$inferSelect];
    await fleet.store.transaction((tx) => storeTargets(tx, fleet.clock.nowMs(), nodeId, []));
    for (let i = 0; (await its()).active; i++) {
      if (i > 20) throw new Error('the job did not end');
      await round(isDone);
    }
    await fleet.store.transaction((tx) => storeTargets(tx, fleet.clock.nowMs(), nodeId, [description]));
    await fleet.runUntil(async () => (await copy()).activated, 60);
    expect(await db.select().from(pointer)).toEqual([held]);
    await fleet.dispatch.stop();
  });

  test('a job that is to delete what its agent has deleted already ends when it hears of that', async () => {
    const { fleet, db, agentAt, round, addPhotos, copyOf, jobOf } = await start(3, 1);
    const old = await addPhotos();
    await fleet.import(photos, n1, '/src/photos/2');
    const agent = agentAt(old.targetId);
    const purges = () => agent.document?.orders.filter((order) => order.kind === 'purge') ?? [];
    for (let i = 0; purges().length === 0; i++) {
      if (i > 80) throw new Error('nothing was to be deleted');
      await round((kind) => kind !== 'purge');
    }
    // It deletes the copy, and is gone before it could say so.
    agent.work(purges()[0]);
    expect(agent.disk.has(old.replicaId)).toBe(false);
    agent.isAway = true;
    const [first] = await db.select().from(job).where(eq(job.purpose, 'retire'));
    await fleet.runUntil(async () => !(await jobOf(first!.jobId)).active, 60, 6_000);
    const told = agent.outbox.splice(0);
    agent.isAway = false;
    const second = () =>
      db
        .select()
        .from(job)
        .where(and(eq(job.purpose, 'retire'), ne(job.jobId, first!.jobId)));
    for (let i = 0; (await second()).length === 0; i++) {
      if (i > 60) throw new Error('no second job');
      await round((kind) => kind !== 'purge');
    }
    for (const record of told) await fleet.report(agent.nodeId, record);
    expect((await copyOf(old.replicaId)).state).toBe('purged');
    for (let i = 0; (await second())[0]!.active; i++) {
      if (i > 20) throw new Error('the second job never ended');
      await round((kind) => kind !== 'purge');
    }
    expect((await second())[0]).toMatchObject({ state: 'done', waitingBecause: 'it is gone already' });
    await fleet.dispatch.stop();
  });

  test('a copy whose target says that it has room, and never has, is given up for a person to see', async () => {
    const { fleet, db, addPhotos, plan, jobOf, failed, passes } = await start(2, 1);
    const first = await addPhotos();
    const free = (await db.select().from(target)).find((one) => one.targetId !== first.targetId)!;
    const jobId = await plan(free.targetId);
    for (let i = 0; (await jobOf(jobId)).active; i++) {
      if (i > 60) throw new Error('not given up');
      await passes(1, 0);
      if ((await jobOf(jobId)).state === 'leased') await failed(jobId, { class: 'space', code: 'EDQUOT', message: 'the quota is used up' });
      await fleet.clock.advance(60_000);
    }
    const failures = await db
      .select()
      .from(jobTransition)
      .where(and(eq(jobTransition.jobId, jobId), eq(jobTransition.event, 'out-of-space')));
    expect([(await jobOf(jobId)).state, failures.length >= 3]).toEqual(['dead-letter', true]);
    const [told] = await db.select().from(alert).where(eq(alert.rule, 'job.dead-letter'));
    expect(told!.text).toContain('the quota is used up');
    await fleet.dispatch.stop();
  });
});
