import type { DatasetId, JobId, NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { JobRecord } from '@data-in-motion/shared/protocol/records';
import { and, eq } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { applyInventory } from '../../src/store/job-reports.ts';
import { cancelJob, insertCopyJob, insertVerifyJob, retryJob } from '../../src/store/jobs.ts';
import { leaseJob } from '../../src/store/leases.ts';
import { alert, datasetVersion, device, event, job, node, pointer, replica, syncQueue, target } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { type FakeAgent, FakeFleet, type FleetOptions, sizeBytes } from './fake-fleet.ts';

const n1 = 'node-1' as NodeId;
const photos = 'photos' as DatasetId;

describe.each(storeKinds)('a job ends, on $kind', { timeout: 60_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  async function start(options: FleetOptions = {}) {
    const fleet = new FakeFleet(await open.open(), options);
    await fleet.build({ nodes: 3, policy: { copies: 1 }, ...options });
    const { db } = fleet.store;
    const jobs = (purpose: 'import' | 'copy' | 'verify' | 'retire' | 'move') => db.select().from(job).where(eq(job.purpose, purpose)).orderBy(job.jobId);
    const jobOf = async (jobId: JobId) => (await db.select().from(job).where(eq(job.jobId, jobId)))[0]!;
    const copies = () => db.select().from(replica).orderBy(replica.replicaId);
    const copyOf = async (replicaId: ReplicaId) => (await copies()).find((copy) => copy.replicaId === replicaId)!;
    const agentAt = (targetId: TargetId): FakeAgent => fleet.agents.get(`node-${targetId.slice(1, 2)}` as NodeId)!;
    const atRest = async () => (await db.select().from(job).where(eq(job.active, true))).length === 0;
    const restWith = (count: number) => async () => (await atRest()) && (await copies()).filter((copy) => copy.state === 'verified').length === count;
    const failed = async (jobId: JobId, more: Pick<Extract<JobRecord, { event: 'failed' }>, 'class' | 'code'>): Promise<void> => {
      const row = await jobOf(jobId);
      const about = { type: 'job' as const, jobId, epoch: row.epoch, atMs: 1, event: 'failed' as const, message: 'no', hint: null, retryAfterMs: null };
      await fleet.report(row.moverNodeId, { ...about, ...more });
    };
    /** What the control plane does, with agents that are there and do nothing. */
    const passes = async (count: number, stepMs = 2_000): Promise<void> => {
      for (let i = 0; i < count; i++) {
        for (const agent of fleet.agents.values()) await fleet.ask(agent);
        await fleet.keeper.pass();
        await fleet.keeper.settled();
        await fleet.clock.advance(stepMs);
      }
    };
    const plan = async (toTargetId: string) => {
      const { versionId } = (await copies())[0]!;
      const work = { datasetId: photos, versionId: versionId!, sizeBytes, need: 'add-copy', reason: 'test', planId: null, deviceId: null, priority: 1 };
      const made = { ...work, nowMs: fleet.clock.nowMs(), toTargetId: toTargetId as TargetId, replaces: null };
      return (await fleet.store.transaction((tx) => insertCopyJob(tx, made)))!;
    };
    return { fleet, db, jobs, jobOf, copies, copyOf, agentAt, atRest, restWith, failed, passes, plan };
  }

  test('an import whose place is lost right after its switch; the next import goes on, and the copy is named when the node returns', async () => {
    const { fleet, db, jobs, jobOf, agentAt, copies, copyOf } = await start();
    const jobId = await fleet.addDataset('photos', n1);
    // The agent hears of the switch and is gone.
    for (let round = 0; (await jobOf(jobId)).state !== 'switched'; round++) {
      if (round > 40) throw new Error('not switched');
      for (const agent of fleet.agents.values()) {
        await fleet.ask(agent);
        for (const order of agent.document?.orders ?? []) if (order.kind !== 'activate') agent.work(order);
        await fleet.deliver(agent);
      }
      await fleet.clock.advance(2_000);
      await fleet.keeper.pass();
    }
    const first = (await copies())[0]!;
    const gone = agentAt(first.targetId);
    gone.isAway = true;
    await fleet.runUntil(async () => !(await jobOf(jobId)).active, 40, 6_000);
    expect(await jobOf(jobId)).toMatchObject({ state: 'done', activatedAtMs: null });
    gone.isAway = false;
    await fleet.runUntil(async () => (await copyOf(first.replicaId)).activated && (await copyOf(first.replicaId)).state === 'verified', 40);
    expect((await db.select().from(pointer))[0]).toMatchObject({ replicaId: first.replicaId, rev: 2 });
    await fleet.import('photos', n1, '/src/photos/2');
    await fleet.runUntil(async () => (await copyOf(first.replicaId)).state === 'purged', 60);
    expect((await jobs('import')).map((row) => row.state)).toEqual(['done', 'done']);
    await fleet.dispatch.stop();
  });

  test('that is to delete what lies in the trash of a lost node; another deletes it when the node returns', async () => {
    const { fleet, jobs, copyOf, copies, agentAt, restWith } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    const [old] = await copies();
    await fleet.import('photos', n1, '/src/photos/2');
    await fleet.runUntil(async () => (await copyOf(old!.replicaId)).state === 'trashed', 60);
    const [held] = await fleet.store.db.select().from(pointer);
    const gone = agentAt(old!.targetId);
    gone.isAway = true;
    await fleet.runUntil(async () => !(await jobs('retire'))[0]!.active, 40, 6_000);
    expect((await jobs('retire'))[0]).toMatchObject({ state: 'done', waitingBecause: expect.stringContaining('its node is lost') });
    expect([(await copyOf(old!.replicaId)).state, gone.disk.get(old!.replicaId)?.place]).toEqual(['trashed', 'trash']);
    gone.isAway = false;
    await fleet.runUntil(async () => (await copyOf(old!.replicaId)).state === 'purged', 60);
    expect(gone.disk.has(old!.replicaId)).toBe(false);
    expect((await fleet.store.db.select().from(pointer))[0]!.versionId).toBe(held!.versionId);
    await fleet.dispatch.stop();
  });

  test('whose target stays full, so that the copy gets another place; what it left there is deleted', async () => {
    const { fleet, db, jobOf, failed, passes, plan, restWith, copies, copyOf } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    const [first] = await copies();
    const free = (await db.select().from(target)).find((one) => one.targetId !== first!.targetId)!.targetId;
    const jobId = await plan(free);
    await passes(1);
    await db
      .update(target)
      .set({ freeBytes: sizeBytes - 1 })
      .where(eq(target.targetId, free));
    await failed(jobId, { class: 'space', code: 'ENOSPC' });
    await passes(2, 30_000);
    expect(await jobOf(jobId)).toMatchObject({ state: 'no-space', waitingBecause: 'the target is full' });
    await passes(12, 60_000);
    expect(await jobOf(jobId)).toMatchObject({ state: 'cancelled', waitingBecause: expect.stringContaining('another place') });
    const left = (await jobOf(jobId)).toReplicaId!;
    expect((await copyOf(left)).state).toBe('abandoned');
    const agent = fleet.agents.get((await jobOf(jobId)).moverNodeId)!;
    agent.disk.set(left, { root: 'half of it', datasetId: 'photos', targetId: free, place: 'live' });
    await fleet.ask(agent);
    const order = agent.document!.orders.find((one) => one.kind === 'purge' && one.target.replicaId === left)!;
    expect(order).toMatchObject({ neverCounted: true, root: (await copies())[0]!.verifiedRoot });
    await fleet.report(agent.nodeId, { type: 'job', jobId: order.jobId, epoch: order.epoch, atMs: 1, event: 'purged', replicaId: left, freedBytes: 1 });
    expect([(await copyOf(left)).state, (await jobOf(order.jobId)).state]).toEqual(['purged', 'done']);
    await fleet.dispatch.stop();
  });

  test('as soon as there is room on its target: the reserve is not taken off twice', async () => {
    const { fleet, db, jobOf, failed, passes, plan, restWith, copies } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    const [first] = await copies();
    const at = (await db.select().from(target)).find((one) => one.targetId !== first!.targetId)!;
    const jobId = await plan(at.targetId);
    await passes(1);
    await failed(jobId, { class: 'space', code: 'ENOSPC' });
    await db
      .update(target)
      .set({ freeBytes: sizeBytes + 1, description: { ...at.description, reserveBytes: sizeBytes } })
      .where(eq(target.targetId, at.targetId));
    await passes(4, 30_000);
    expect((await jobOf(jobId)).state).toBe('leased');
    await fleet.dispatch.stop();
  });

  test('a listed copy that is over by its row, or has none, is told; one that will be deleted is not', async () => {
    const { fleet, db, copies, restWith } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    const [copy] = await copies();
    const made = { datasetId: photos, versionId: copy!.versionId, targetId: copy!.targetId, why: 'test', createdAtMs: 1 };
    const id = (last: string) => `01ARZ3NDEKTSV4RRFFQ69G5FA${last}` as ReplicaId;
    await db.insert(replica).values([
      { ...made, replicaId: id('A'), state: 'abandoned' },
      { ...made, replicaId: id('B'), state: 'abandoned', verifiedAtMs: 5 },
      { ...made, replicaId: id('C'), state: 'purged' },
    ]);
    const listed = [copy!.replicaId, id('A'), id('B'), id('C'), id('D')].map((replicaId) => ({
      ...{ replicaId, datasetId: photos, root: copy!.verifiedRoot, place: 'live' as const },
    }));
    await fleet.store.transaction((tx) =>
      applyInventory(tx, copy!.verifiedBy as NodeId, { type: 'inventory', targetId: copy!.targetId, atMs: 1, replicas: listed, unknown: [] }, 1),
    );
    const [told] = await db.select().from(event).where(eq(event.type, 'target.unknown-data'));
    expect(told!.ids).toMatchObject({ things: 3 });
    for (const last of ['B', 'C', 'D']) expect(told!.text).toContain(id(last));
    await fleet.dispatch.stop();
  });

  test('a check that can not be made holds up no other', async () => {
    const { fleet, jobs, copies, failed, passes, restWith, jobOf } = await start({ settings: { scrubEveryMs: 600_000 } });
    await fleet.addDataset('photos', n1);
    await fleet.addDataset('genomes', n1);
    await fleet.runUntil(restWith(2));
    await fleet.clock.advance(700_000);
    await passes(1);
    const [bad] = await jobs('verify');
    for (let attempt = 0; (await jobOf(bad!.jobId)).active; attempt++) {
      if (attempt > 40) throw new Error('not given up');
      if ((await jobOf(bad!.jobId)).state === 'leased') await failed(bad!.jobId, { class: 'device', code: 'EIO' });
      await passes(1, 60_000);
    }
    await passes(4);
    const checked = new Set((await jobs('verify')).map((row) => row.fromReplicaId));
    for (const copy of (await copies()).filter((one) => one.verifiedAtMs !== null)) expect(checked).toContain(copy.replicaId);
    await fleet.dispatch.stop();
  });

  test('a copy that is doubted and that no job looks at is looked at', async () => {
    const { fleet, db, restWith, copies } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    await db.update(replica).set({ state: 'suspect' });
    await fleet.runUntil(restWith(1), 10);
    expect((await copies()).map((copy) => copy.state)).toEqual(['verified']);
    await fleet.dispatch.stop();
  });

  test('an import that is tried again late does not take readers back', async () => {
    const { fleet, db, jobs, jobOf, failed, restWith } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    const oldJob = await fleet.import('photos', n1, '/src/photos/2');
    await fleet.runUntil(async () => (await jobOf(oldJob)).versionId !== null);
    await failed(oldJob, { class: 'permanent', code: 'EROFS' });
    await fleet.import('photos', n1, '/src/photos/3');
    await fleet.runUntil(restWith(1), 80);
    const [held] = await db.select().from(pointer);
    expect(await fleet.store.transaction((tx) => retryJob(tx, oldJob, fleet.clock.nowMs()))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('newer'),
    });
    // It was tried again before the newer one was there, and comes late.
    await db.update(job).set({ state: 'planned', active: true, toReplicaId: null, toTargetId: null, moverNodeId: n1 }).where(eq(job.jobId, oldJob));
    await fleet.runUntil(restWith(1), 80);
    expect((await db.select().from(pointer))[0]).toMatchObject({ versionId: held!.versionId });
    expect((await jobs('import')).map((row) => row.state)).toEqual(['done', 'done', 'done']);
    await fleet.dispatch.stop();
  });

  test('another source is not taken for the one that is being imported', async () => {
    const { fleet } = await start();
    const jobId = await fleet.addDataset('photos', n1, '/src/photos/1');
    expect(await fleet.import('photos', n1, '/src/photos/1')).toBe(jobId);
    await expect(fleet.import('photos', n1, '/src/photos/2')).rejects.toMatchObject({ kind: 'refused', code: 'import.under-way', ids: { jobId } });
    await fleet.dispatch.stop();
  });

  test('a version that files are missing from does not take the place of the older, and says so', async () => {
    const { fleet, db, copies, restWith } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    const [old] = await copies();
    const jobId = await fleet.import('photos', n1, '/src/photos/2');
    await fleet.runUntil(async () => (await db.select().from(datasetVersion).where(eq(datasetVersion.jobId, jobId))).length === 1);
    await db.update(datasetVersion).set({ unreadable: 2 }).where(eq(datasetVersion.jobId, jobId));
    await fleet.runUntil(restWith(2), 60);
    const told = () => db.select().from(alert).where(eq(alert.rule, 'dataset.not-whole'));
    expect(await told()).toMatchObject([{ endedAtMs: null, text: expect.stringContaining('2 files of photos') }]);
    await fleet.import('photos', n1, '/src/photos/3');
    await fleet.runUntil(async () => (await copies()).find((copy) => copy.replicaId === old!.replicaId)!.state === 'purged', 80);
    expect((await told())[0]!.endedAtMs).not.toBeNull();
    await fleet.dispatch.stop();
  });

  test('what is owed on a node that fell silent for a moment is still seen to', async () => {
    const { fleet, db, copies, restWith } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    const [copy] = await copies();
    await db.update(replica).set({ state: 'suspect' }).where(eq(replica.replicaId, copy!.replicaId));
    const owed = { id: 'verify', kind: 'verify-returned', replicaId: copy!.replicaId, datasetId: photos, nodeId: copy!.verifiedBy as NodeId };
    await db.insert(syncQueue).values({ ...owed, state: 'pending', attempts: 0, detail: '', createdAtMs: 1, changedAtMs: 1 });
    expect((await db.select().from(node).where(eq(node.nodeId, owed.nodeId)))[0]!.agentState).toBe('online');
    await fleet.runUntil(async () => (await copies())[0]!.state === 'verified' && (await db.select().from(syncQueue))[0]!.state === 'applied', 20);
    await fleet.dispatch.stop();
  });

  test('or waits for its turn, and says so once', async () => {
    const { fleet, db, jobs, copies, passes, restWith } = await start({ settings: { runningPerNode: 1 } });
    for (const name of ['photos', 'genomes']) await fleet.addDataset(name, n1);
    await fleet.runUntil(restWith(2));
    const places = await copies();
    await db.update(replica).set({ targetId: places[0]!.targetId });
    for (const copy of places) await fleet.store.transaction((tx) => insertVerifyJob(tx, copy.replicaId, 'test', 1, fleet.clock.nowMs()));
    await passes(1);
    const said = (await jobs('verify')).map((row) => row.waitingBecause);
    expect(said.filter((because) => because?.includes('1 jobs run on') || because?.includes('at most 1'))).toHaveLength(1);
    await fleet.dispatch.stop();
  });

  test('a conflict that a person settles leaves no copy behind', async () => {
    const { fleet, db, jobs, copies, restWith, agentAt } = await start();
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(1));
    const [old] = await copies();
    await fleet.import('photos', n1, '/src/photos/2');
    agentAt(old!.targetId).disk.get(old!.replicaId)!.root = 'written to';
    const conflicts = () =>
      db
        .select()
        .from(job)
        .where(and(eq(job.state, 'conflict'), eq(job.purpose, 'retire')));
    await fleet.runUntil(async () => (await conflicts()).length === 1, 60);
    const { jobId } = (await conflicts())[0]!;
    expect(await fleet.store.transaction((tx) => cancelJob(tx, jobId, fleet.clock.nowMs()))).toEqual({ ok: true });
    expect([(await copies())[0]!.state, (await jobs('retire'))[0]!.state]).toEqual(['abandoned', 'done']);
    expect(agentAt(old!.targetId).disk.has(old!.replicaId)).toBe(true);
    await fleet.runUntil(restWith(1), 10);
    expect(agentAt(old!.targetId).disk.has(old!.replicaId)).toBe(true);
    await fleet.dispatch.stop();
  });

  test('a copy is not read where it can not be reached or where the drive is dying, though that is beside the destination', async () => {
    const { fleet, db, copies, restWith, plan, jobOf } = await start({ policy: { copies: 2 }, targetsPerNode: 2 });
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(2));
    const [near, far] = await copies();
    const beside = near!.targetId.replace(/\d$/, (n) => (n === '1' ? '2' : '1'));
    const readOf = async (): Promise<ReplicaId | null> => {
      const jobId = await plan(beside);
      await fleet.store.transaction((tx) => leaseJob(tx, jobId, 30_000, fleet.clock.nowMs()));
      const { readReplicaId } = await jobOf(jobId);
      await fleet.store.transaction((tx) => cancelJob(tx, jobId, fleet.clock.nowMs()));
      return readReplicaId;
    };
    expect(await readOf()).toBe(near!.replicaId);
    const place = eq(target.targetId, near!.targetId);
    await db.update(target).set({ reachable: false }).where(place);
    expect(await readOf()).toBe(far!.replicaId);
    await db.update(target).set({ reachable: true }).where(place);
    await db.update(device).set({ level: 'failing' }).where(eq(device.serial, near!.targetId));
    expect(await readOf()).toBe(far!.replicaId);
    await fleet.dispatch.stop();
  });
});
