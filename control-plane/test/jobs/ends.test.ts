import { and, eq } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { cancelJob, retryJob } from '../../src/store/job-wishes.ts';
import { insertVerifyJob } from '../../src/store/jobs.ts';
import { alert, datasetVersion, job, pointer, replica, target } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { type FleetOptions, sizeBytes } from './fake-fleet.ts';
import { n1, startedFleet } from './started-fleet.ts';

describe.each(storeKinds)('a job ends, on $kind', { timeout: 60_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());
  const start = async (options: FleetOptions = {}) => startedFleet(await open.open(), options);

  test('an import whose place is lost right after its switch; the next import goes on, and the copy is named when the node returns', async () => {
    const { fleet, db, jobs, jobOf, agentAt, copies, copyOf } = await start();
    const jobId = await fleet.addDataset('photos', n1);
    // The agent hears of the switch and is gone.
    for (let round = 0; (await jobOf(jobId)).state !== 'switched'; round++) {
      if (round > 40) throw new Error('not switched');
      await fleet.workRound((order) => order.kind !== 'activate');
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
    const { fleet, jobs, copyOf, agentAt, addPhotos } = await start();
    const old = await addPhotos();
    await fleet.import('photos', n1, '/src/photos/2');
    await fleet.runUntil(async () => (await copyOf(old.replicaId)).state === 'trashed', 60);
    const [held] = await fleet.store.db.select().from(pointer);
    const gone = agentAt(old.targetId);
    gone.isAway = true;
    await fleet.runUntil(async () => !(await jobs('retire'))[0]!.active, 40, 6_000);
    expect((await jobs('retire'))[0]).toMatchObject({ state: 'done', waitingBecause: expect.stringContaining('its node is lost') });
    expect([(await copyOf(old.replicaId)).state, gone.disk.get(old.replicaId)?.place]).toEqual(['trashed', 'trash']);
    gone.isAway = false;
    await fleet.runUntil(async () => (await copyOf(old.replicaId)).state === 'purged', 60);
    expect(gone.disk.has(old.replicaId)).toBe(false);
    expect((await fleet.store.db.select().from(pointer))[0]!.versionId).toBe(held!.versionId);
    await fleet.dispatch.stop();
  });

  test('whose target stays full, so that the copy gets another place; what it left there is deleted', async () => {
    const { fleet, db, jobOf, failed, passes, plan, copies, copyOf, addPhotos } = await start();
    const first = await addPhotos();
    const free = (await db.select().from(target)).find((one) => one.targetId !== first.targetId)!.targetId;
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
    const { fleet, db, jobOf, failed, passes, plan, addPhotos } = await start();
    const first = await addPhotos();
    const at = (await db.select().from(target)).find((one) => one.targetId !== first.targetId)!;
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

  test('an import that is tried again late does not take readers back', async () => {
    const { fleet, db, jobs, jobOf, failed, restWith, addPhotos } = await start();
    await addPhotos();
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
    const { fleet, db, copies, restWith, addPhotos } = await start();
    const old = await addPhotos();
    const jobId = await fleet.import('photos', n1, '/src/photos/2');
    await fleet.runUntil(async () => (await db.select().from(datasetVersion).where(eq(datasetVersion.jobId, jobId))).length === 1);
    await db.update(datasetVersion).set({ unreadable: 2 }).where(eq(datasetVersion.jobId, jobId));
    await fleet.runUntil(restWith(2), 60);
    const told = () => db.select().from(alert).where(eq(alert.rule, 'dataset.not-whole'));
    expect(await told()).toMatchObject([{ endedAtMs: null, text: expect.stringContaining('2 files of photos') }]);
    await fleet.import('photos', n1, '/src/photos/3');
    await fleet.runUntil(async () => (await copies()).find((copy) => copy.replicaId === old.replicaId)!.state === 'purged', 80);
    expect((await told())[0]!.endedAtMs).not.toBeNull();
    await fleet.dispatch.stop();
  });

  test('that has to wait for its turn says why', async () => {
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
    const { fleet, db, jobs, copies, restWith, agentAt, addPhotos } = await start();
    const old = await addPhotos();
    await fleet.import('photos', n1, '/src/photos/2');
    agentAt(old.targetId).disk.get(old.replicaId)!.root = 'written to';
    const conflicts = () =>
      db
        .select()
        .from(job)
        .where(and(eq(job.state, 'conflict'), eq(job.purpose, 'retire')));
    await fleet.runUntil(async () => (await conflicts()).length === 1, 60);
    const { jobId } = (await conflicts())[0]!;
    expect(await fleet.store.transaction((tx) => cancelJob(tx, jobId, fleet.clock.nowMs()))).toEqual({ ok: true });
    expect([(await copies())[0]!.state, (await jobs('retire'))[0]!.state]).toEqual(['abandoned', 'done']);
    expect(agentAt(old.targetId).disk.has(old.replicaId)).toBe(true);
    await fleet.runUntil(restWith(1), 10);
    expect(agentAt(old.targetId).disk.has(old.replicaId)).toBe(true);
    await fleet.dispatch.stop();
  });
});
