import type { NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import { and, eq, ne } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { insertCopyJob } from '../../src/store/jobs.ts';
import { alert, job, jobTransition, pointer, replica, target } from '../../src/store/schema.ts';
import { storeTargets } from '../../src/store/targets.ts';
import { type FakeAgent, FakeFleet, sizeBytes } from '../jobs/fake-fleet.ts';
import { storeKinds } from '../stores.ts';

const n1 = 'node-1' as NodeId;

describe.each(storeKinds)('what an absence left undone, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  async function start(nodes: number, copies: number) {
    const fleet = new FakeFleet(await open.open());
    await fleet.build({ nodes, policy: { copies } });
    await fleet.addDataset('photos', n1);
    const { db } = fleet.store;
    const replicas = () => db.select().from(replica).orderBy(replica.replicaId);
    const active = () => db.select().from(job).where(eq(job.active, true));
    const agentAt = (targetId: TargetId): FakeAgent => fleet.agents.get(`node-${targetId.slice(1, 2)}` as NodeId)!;
    /** A round of agents that do what they are asked for, but name no copy for themselves where the test says so. */
    const round = (isDone: (kind: string, agent: FakeAgent) => boolean = () => true): Promise<void> =>
      fleet.passAndWork(1, (order, agent) => isDone(order.kind, agent));
    return { fleet, db, replicas, active, agentAt, round };
  }

  /** Two copies; the second has just joined, and its agent has not named it. */
  async function joined() {
    const all = await start(2, 2);
    const second = () =>
      all.db
        .select()
        .from(job)
        .where(and(eq(job.purpose, 'copy'), eq(job.state, 'switched')));
    const isDone = (kind: string, agent: FakeAgent): boolean => kind !== 'activate' || ![...agent.disk.keys()].includes(named!);
    let named: (typeof replica.$inferSelect)['replicaId'] | undefined;
    for (let i = 0; (await second()).length === 0; i++) {
      if (i > 60) throw new Error('no second copy');
      named = (await all.db.select().from(job).where(eq(job.purpose, 'copy')))[0]?.toReplicaId ?? undefined;
      await all.round(isDone);
    }
    const [row] = await second();
    const copy = async () => (await all.replicas()).find((one) => one.replicaId === row!.toReplicaId)!;
    const jobOf = async () => (await all.db.select().from(job).where(eq(job.jobId, row!.jobId)))[0]!;
    const [held] = await all.db.select().from(pointer);
    return { ...all, copy, jobOf, held: held!, isDone };
  }

  test('a copy that only joined is named when its lost node is back; readers stay where they are', async () => {
    const { fleet, db, copy, jobOf, held, agentAt } = await joined();
    const agent = agentAt((await copy()).targetId);
    agent.isAway = true;
    await fleet.runUntil(async () => !(await jobOf()).active, 60, 6_000);
    expect(await copy()).toMatchObject({ activated: false, state: 'suspect' });
    agent.isAway = false;
    await fleet.runUntil(async () => (await copy()).activated && (await copy()).state === 'verified', 60);
    expect(await db.select().from(pointer)).toEqual([held]);
    await fleet.dispatch.stop();
  });

  test('a copy is named when its agent declares the target again', async () => {
    const { fleet, db, copy, jobOf, held, agentAt, round, isDone } = await joined();
    const { nodeId } = agentAt((await copy()).targetId);
    const [{ description }] = (await db
      .select()
      .from(target)
      .where(eq(target.targetId, (await copy()).targetId))) as [typeof target.$inferSelect];
    await fleet.store.transaction((tx) => storeTargets(tx, fleet.clock.nowMs(), nodeId, []));
    for (let i = 0; (await jobOf()).active; i++) {
      if (i > 20) throw new Error('the job did not end');
      await round(isDone);
    }
    await fleet.store.transaction((tx) => storeTargets(tx, fleet.clock.nowMs(), nodeId, [description]));
    await fleet.runUntil(async () => (await copy()).activated, 60);
    expect(await db.select().from(pointer)).toEqual([held]);
    await fleet.dispatch.stop();
  });

  test('a job that is to delete what its agent has deleted already ends when it hears of that', async () => {
    const { fleet, db, replicas, active, agentAt, round } = await start(3, 1);
    await fleet.runUntil(async () => (await active()).length === 0 && (await replicas()).some((one) => one.state === 'verified'));
    const [old] = await replicas();
    await fleet.import('photos', n1, '/src/photos/2');
    const agent = agentAt(old!.targetId);
    const purges = () => agent.document?.orders.filter((order) => order.kind === 'purge') ?? [];
    for (let i = 0; purges().length === 0; i++) {
      if (i > 80) throw new Error('nothing was to be deleted');
      await round((kind) => kind !== 'purge');
    }
    // It deletes the copy, and is gone before it could say so.
    agent.work(purges()[0]);
    expect(agent.disk.has(old!.replicaId)).toBe(false);
    agent.isAway = true;
    const [first] = await db.select().from(job).where(eq(job.purpose, 'retire'));
    await fleet.runUntil(async () => !(await db.select().from(job).where(eq(job.jobId, first!.jobId)))[0]!.active, 60, 6_000);
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
    expect((await replicas()).find((one) => one.replicaId === old!.replicaId)!.state).toBe('purged');
    for (let i = 0; (await second())[0]!.active; i++) {
      if (i > 20) throw new Error('the second job never ended');
      await round((kind) => kind !== 'purge');
    }
    expect((await second())[0]).toMatchObject({ state: 'done', waitingBecause: 'it is gone already' });
    await fleet.dispatch.stop();
  });

  test('a copy whose target says that it has room, and never has, is given up for a person to see', async () => {
    const { fleet, db, replicas, active } = await start(2, 1);
    await fleet.runUntil(async () => (await active()).length === 0 && (await replicas()).some((one) => one.state === 'verified'));
    const [first] = await replicas();
    const free = (await db.select().from(target)).find((one) => one.targetId !== first!.targetId)!;
    const work = { datasetId: first!.datasetId, versionId: first!.versionId!, sizeBytes, need: 'add-copy', reason: 'test', planId: null, deviceId: null };
    const jobId = await fleet.store.transaction((tx) =>
      insertCopyJob(tx, { ...work, priority: 1, nowMs: fleet.clock.nowMs(), toTargetId: free.targetId, replaces: null }),
    );
    const jobOf = async () => (await db.select().from(job).where(eq(job.jobId, jobId!)))[0]!;
    for (let i = 0; (await jobOf()).active; i++) {
      if (i > 60) throw new Error('not given up');
      for (const agent of fleet.agents.values()) await fleet.ask(agent);
      await fleet.keeper.pass();
      await fleet.keeper.settled();
      const { state, epoch, moverNodeId } = await jobOf();
      const no = { event: 'failed', class: 'space', code: 'EDQUOT', message: 'the quota is used up', hint: null, retryAfterMs: null } as const;
      if (state === 'leased') await fleet.report(moverNodeId, { type: 'job', jobId: jobId!, epoch, atMs: 1, ...no });
      await fleet.clock.advance(60_000);
    }
    const failures = await db
      .select()
      .from(jobTransition)
      .where(and(eq(jobTransition.jobId, jobId!), eq(jobTransition.event, 'out-of-space')));
    expect([(await jobOf()).state, failures.length >= 3]).toEqual(['dead-letter', true]);
    const [told] = await db.select().from(alert).where(eq(alert.rule, 'job.dead-letter'));
    expect(told!.text).toContain('the quota is used up');
    await fleet.dispatch.stop();
  });
});
