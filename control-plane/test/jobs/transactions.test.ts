import { certificateBody } from '@data-in-motion/shared/api/operations';
import type { DatasetId, JobId, NodeId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import type { JobRecord } from '@data-in-motion/shared/protocol/records';
import { isSignedBy } from '@data-in-motion/shared/signature';
import { and, eq, ne } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leaderWrite } from '../../src/control-loop/parts.ts';
import { protocolGuards } from '../../src/jobs/guards.ts';
import type { Store } from '../../src/store/database.ts';
import { applyFaultRecord } from '../../src/store/experiments.ts';
import { applyInventory } from '../../src/store/inventory.ts';
import { applyProgress } from '../../src/store/job-reports.ts';
import { cancelJob, retryJob } from '../../src/store/job-wishes.ts';
import { insertCopyJob, insertRetireJob, insertVerifyJobs } from '../../src/store/jobs.ts';
import { distrustedSinceMs, holdLeadership } from '../../src/store/leader.ts';
import { grantRetire, type PermitSettings } from '../../src/store/permits.ts';
import { switchJob } from '../../src/store/pointers.ts';
import {
  alert,
  certificate,
  cpLeader,
  dataset,
  datasetVersion,
  device,
  event,
  experiment,
  globalPolicy,
  job,
  jobTransition,
  node,
  permit,
  plan,
  pointer,
  recommendation,
  replica,
  switchLog,
  syncQueue,
  target,
} from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { FakeFleet, objects, sizeBytes } from './fake-fleet.ts';

const n1 = 'node-1' as NodeId;
const photos = 'photos' as DatasetId;

describe.each(storeKinds)('on $kind', { timeout: 120_000 }, ({ kind, stores }) => {
  const open = stores();
  let fleet: FakeFleet;
  let base: Store;
  const settings: PermitSettings = { graceMs: 0, trashMs: 0, freshMs: 1e12, commitsAreDurable: true };
  beforeAll(async () => {
    base = await open.open();
  }, 120_000);
  afterAll(() => open.stop());

  /** A fleet of three nodes with `photos` on as many copies; the tables are emptied, opening a database anew takes seconds. */
  async function start(copies: number, nodes = 3): Promise<void> {
    for (const table of [job, replica, pointer, switchLog, dataset, node, device, permit, alert, certificate, cpLeader, globalPolicy])
      await base.db.delete(table);
    for (const table of [target, datasetVersion, plan, recommendation, jobTransition, syncQueue, event, experiment]) await base.db.delete(table);
    fleet = new FakeFleet(base);
    await fleet.build({ nodes, policy: { copies } });
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(() => atRest(copies));
  }

  async function atRest(copies: number): Promise<boolean> {
    const active = await base.db.select().from(job).where(eq(job.active, true));
    const counted = await base.db.select().from(replica).where(eq(replica.state, 'verified'));
    return active.length === 0 && counted.length === copies;
  }

  const copiesNow = () => base.db.select().from(replica).where(eq(replica.datasetId, photos)).orderBy(replica.replicaId);
  const events = async (type: string) => base.db.select().from(event).where(eq(event.type, type));
  const work = (nowMs: number) => ({
    datasetId: photos,
    versionId: undefined as never,
    sizeBytes,
    need: null,
    reason: 'test',
    planId: null,
    deviceId: null,
    priority: 1,
    nowMs,
  });

  test('two copies that each want to leave because the other is there: one stays', async () => {
    for (let round = 0; round < (kind === 'postgres' ? 5 : 1); round++) {
      await start(2);
      await base.db.update(globalPolicy).set({ policy: { ...(await base.db.select().from(globalPolicy))[0]!.policy, copies: 1 } });
      // A third copy is the primary by name only, and lost: readers are not what keeps the two.
      const [a, b] = await copiesNow();
      await base.db.update(pointer).set({ replicaId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' as ReplicaId });
      const jobs: JobId[] = [];
      for (const copy of [a!, b!])
        jobs.push((await base.transaction((tx) => insertRetireJob(tx, { ...work(fleet.clock.nowMs()), replicaId: copy.replicaId })))!);
      const outcomes = await Promise.all(jobs.map((jobId) => base.transaction((tx) => grantRetire(tx, jobId, settings, fleet.clock.nowMs()))));
      expect(outcomes.map((one) => one.kind).sort()).toEqual(['granted', 'held']);
      expect((await copiesNow()).map((copy) => copy.state).sort()).toEqual(['retiring', 'verified']);
      await fleet.dispatch.stop();
    }
  });

  test('without the guard that counts copies the last one would get its permit', async () => {
    await start(1);
    const [only] = await copiesNow();
    await base.db.update(pointer).set({ replicaId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' as ReplicaId });
    const jobId = (await base.transaction((tx) => insertRetireJob(tx, { ...work(fleet.clock.nowMs()), replicaId: only!.replicaId })))!;
    expect((await base.transaction((tx) => grantRetire(tx, jobId, settings, fleet.clock.nowMs()))).kind).toBe('held');
    const unguarded = { ...protocolGuards, enoughCopies: () => null };
    expect((await base.transaction((tx) => grantRetire(tx, jobId, settings, fleet.clock.nowMs(), unguarded))).kind).toBe('granted');
    await fleet.dispatch.stop();
  });

  test('two control planes at work at once have one effect', async () => {
    await start(1);
    await base.db.update(globalPolicy).set({ policy: { ...(await base.db.select().from(globalPolicy))[0]!.policy, copies: 3 } });
    const other = fleet.newKeeper('two');
    for (let round = 0; round < 12; round++) {
      await Promise.all([fleet.keeper.pass(), other.pass()]);
      await Promise.all([fleet.keeper.settled(), other.settled()]);
      await fleet.workRound();
      // The term passes from one to the other in the middle of the work.
      await fleet.clock.advance(round % 4 === 3 ? 20_000 : 1_000);
      for (const agent of fleet.agents.values()) await fleet.ask(agent);
    }
    expect((await copiesNow()).map((copy) => copy.state)).toEqual(['verified', 'verified', 'verified']);
    expect(new Set((await copiesNow()).map((copy) => copy.targetId)).size).toBe(3);
    expect((await base.db.select().from(switchLog)).length).toBe(1);
    await fleet.dispatch.stop();
  });

  test('what a deposed leader still wants to write fails, and nothing of it stays', async () => {
    await start(1);
    const term = (await holdLeadership(fleet.store, 'one', 10_000))!;
    await base.db.update(cpLeader).set({ expiresAtMs: 0 });
    expect(await holdLeadership(fleet.store, 'two', 10_000)).toBe(term + 1);
    const late = leaderWrite(fleet.store, term)((tx) => tx.update(dataset).set({ owner: 'nobody' }));
    await expect(late).rejects.toMatchObject({ code: 'leader.deposed' });
    expect((await base.db.select().from(dataset))[0]!.owner).toBe('test');
    expect(await holdLeadership(fleet.store, 'one', 10_000)).toBeNull();
    await fleet.dispatch.stop();
  });

  test('after the store may have lost commits nothing is let go for a while; a new store is trusted', async () => {
    await start(1);
    const known = (epoch: string) => base.transaction((tx) => distrustedSinceMs(tx, epoch, 5_000));
    await base.db.update(cpLeader).set({ knownEpoch: '', distrustedSinceMs: null });
    expect(await known('first')).toBeNull();
    expect(await known('first')).toBeNull();
    expect(await known('another')).toBe(5_000);
    expect(await known('another')).toBe(5_000);

    await fleet.store.db.update(cpLeader).set({ knownEpoch: 'lost', distrustedSinceMs: null });
    const [copy] = await copiesNow();
    await fleet.import('photos', n1, '/src/photos/2');
    await fleet.runUntil(async () => (await base.db.select().from(pointer))[0]!.versionId !== copy!.versionId);
    const stateOf = async () => (await copiesNow()).find((one) => one.replicaId === copy!.replicaId)!.state;
    await fleet.runUntil(
      async () =>
        (
          await base.db
            .select()
            .from(job)
            .where(and(eq(job.purpose, 'retire'), eq(job.active, true)))
        ).length === 1,
    );
    for (let pass = 0; pass < 5; pass++) await fleet.keeper.pass();
    expect(await stateOf()).toBe('verified');
    await base.db.update(cpLeader).set({ distrustedSinceMs: fleet.clock.nowMs() - 900_001 });
    await fleet.runUntil(async () => (await stateOf()) === 'purged', 80);
    await fleet.dispatch.stop();
  });

  test('reports that come twice, late or out of turn are counted and change nothing', async () => {
    await start(1);
    const [imported] = await base.db.select().from(job).where(eq(job.purpose, 'import'));
    const about = { type: 'job' as const, jobId: imported!.jobId, epoch: imported!.epoch, atMs: 1 };
    const copy = (await copiesNow())[0]!;
    const wrong: JobRecord[] = [
      { ...about, event: 'copied', bytes: 1, movedBytes: 1 },
      { ...about, event: 'verified', replicaId: copy.replicaId, root: copy.verifiedRoot!, objects, bytes: sizeBytes, level: 'L2', readFrom: 'cache' },
      { ...about, event: 'trashed', replicaId: copy.replicaId },
      { ...about, event: 'purged', replicaId: copy.replicaId, freedBytes: 1 },
      { ...about, epoch: 0, event: 'failed', class: 'permanent', code: 'x', message: 'x', hint: null, retryAfterMs: null },
      { ...about, jobId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' as JobId, event: 'copied', bytes: 1, movedBytes: 1 },
    ];
    for (const record of [...wrong, ...wrong]) await fleet.report(copy.verifiedBy as NodeId, record);
    await fleet.report('node-3' as NodeId, wrong[0]!);
    expect((await copiesNow()).map((one) => one.state)).toEqual(['verified']);
    expect((await base.db.select().from(job).where(eq(job.jobId, imported!.jobId)))[0]).toMatchObject({ state: 'done', movedBytes: imported!.movedBytes });
    expect((await events('job.report-refused')).length).toBeGreaterThanOrEqual(9);
    await fleet.dispatch.stop();
  });

  test('a pointer that moved in between is a conflict that is counted and tried again', async () => {
    await start(1);
    const [held] = await base.db.select().from(pointer);
    const jobId = await fleet.import('photos', n1, '/src/photos/2');
    await base.db.update(job).set({ expectedPointerRev: 9 }).where(eq(job.jobId, jobId));
    await fleet.runUntil(async () => (await base.db.select().from(pointer))[0]!.rev === held!.rev + 1);
    expect((await events('sync_conflict')).length).toBe(1);
    await fleet.runUntil(() => atRest(1));
    expect((await base.db.select().from(job).where(eq(job.jobId, jobId)))[0]).toMatchObject({ state: 'done' });
    await fleet.dispatch.stop();
  });

  test('an agent that started anew gets its job again under a new epoch, and what the old one says is refused', async () => {
    await start(1);
    const jobId = await fleet.import('photos', n1, '/src/photos/2');
    await fleet.keeper.pass();
    const agent = fleet.agents.get(n1)!;
    await fleet.ask(agent);
    const old = agent.document!.orders[0]!;
    await fleet.restart(agent);
    await fleet.keeper.pass();
    const [row] = await base.db.select().from(job).where(eq(job.jobId, jobId));
    expect(row!.epoch).toBe(old.epoch + 1);
    agent.work(old);
    await fleet.deliver(agent);
    expect((await base.db.select().from(job).where(eq(job.jobId, jobId)))[0]).toMatchObject({ state: 'leased', versionId: null });
    await fleet.runUntil(() => atRest(1));
    await fleet.dispatch.stop();
  });

  test('a node that is lost has its copies made elsewhere, and read back before they count when it returns', async () => {
    await start(2);
    const gone = fleet.agents.get((await copiesNow())[0]!.verifiedBy as NodeId)!;
    gone.isAway = true;
    await fleet.runUntil(async () => {
      const standing = (await copiesNow()).filter((copy) => copy.state === 'verified' && copy.verifiedBy !== gone.nodeId);
      const [held] = await base.db.select().from(pointer);
      return standing.length === 2 && standing.some((copy) => copy.replicaId === held!.replicaId);
    }, 80);
    gone.isAway = false;
    await fleet.keeper.pass();
    await fleet.ask(gone);
    await fleet.keeper.pass();
    expect((await base.db.select().from(node).where(eq(node.nodeId, gone.nodeId)))[0]!.agentState).toBe('returned');
    await fleet.runUntil(async () => (await base.db.select().from(node).where(eq(node.nodeId, gone.nodeId)))[0]!.agentState === 'online');
    await fleet.runUntil(() => atRest(2), 80);
    await fleet.dispatch.stop();
  });

  test('a copy that rots is found, replaced, and what differs is kept for a person', async () => {
    await start(2);
    const [held] = await base.db.select().from(pointer);
    for (const agent of fleet.agents.values()) {
      const copy = agent.disk.get(held!.replicaId);
      if (copy !== undefined) copy.root = 'rotten';
    }
    await base.transaction((tx) => insertVerifyJobs(tx, photos, 'test', fleet.clock.nowMs()));
    const stateOf = async (replicaId: ReplicaId) => (await copiesNow()).find((copy) => copy.replicaId === replicaId)!.state;
    await fleet.runUntil(async () => (await atRest(2)) && (await stateOf(held!.replicaId)) === 'conflict');
    expect((await base.db.select().from(pointer))[0]!.replicaId).not.toBe(held!.replicaId);
    const open = await base.db.select().from(alert).where(eq(alert.rule, 'job.conflict'));
    expect(open.length).toBe(1);
    const [conflicted] = await base.db.select().from(job).where(eq(job.state, 'conflict'));
    expect(await base.transaction((tx) => cancelJob(tx, conflicted!.jobId, fleet.clock.nowMs()))).toEqual({ ok: true });
    expect((await base.db.select().from(alert).where(eq(alert.rule, 'job.conflict')))[0]!.endedAtMs).not.toBeNull();
    await fleet.dispatch.stop();
  });

  test('a risky drive is emptied, each copy verified elsewhere first, and the certificate says so', async () => {
    await start(2);
    const before = (await copiesNow())[0]!;
    await base.db
      .update(device)
      .set({ level: 'failing', levelSinceMs: fleet.clock.nowMs(), probability: 0.9, judge: { kind: 'rule', name: 'five', version: '1' } })
      .where(eq(device.serial, before.targetId));
    await fleet.runUntil(async () => (await base.db.select().from(certificate))[0]?.state === 'complete', 80);
    const [row] = await base.db.select().from(certificate);
    expect(isSignedBy(row!, fleet.key.publicKeyPem)).toBe(true);
    const body = certificateBody.parse(JSON.parse(row!.body));
    expect(body.replicas).toMatchObject([
      { datasetId: 'photos', from: { replicaId: before.replicaId }, root: before.verifiedRoot, verifiedRoot: before.verifiedRoot },
    ]);
    expect(body.emptyAtMs).not.toBeNull();
    await fleet.runUntil(async () => (await copiesNow()).find((copy) => copy.replicaId === before.replicaId)!.state === 'purged', 80);
    const kinds = (await base.db.select().from(permit)).map((one) => [one.kind, one.usedAtMs !== null]);
    expect(kinds.sort()).toEqual([
      ['purge', true],
      ['retire', true],
    ]);
    await fleet.dispatch.stop();
  });

  test('an import that no place is allowed for waits, says why, and goes on when one is', async () => {
    await start(1);
    const [global] = await base.db.select().from(globalPolicy);
    await base.db.update(globalPolicy).set({ policy: { ...global!.policy, regions: ['mars'] } });
    const jobId = await fleet.import('photos', n1, '/src/photos/2');
    await fleet.runUntil(async () => (await base.db.select().from(alert).where(eq(alert.rule, 'import.no-place'))).length === 1);
    expect((await base.db.select().from(job).where(eq(job.jobId, jobId)))[0]!.waitingBecause).toContain('no place is allowed');
    await base.db.update(globalPolicy).set({ policy: global!.policy });
    await fleet.runUntil(() => atRest(1), 80);
    await fleet.dispatch.stop();
  });

  test('a job that is given up says what to do, and starts anew when a person says so', async () => {
    await start(1);
    const jobId = await fleet.import('photos', n1, '/src/photos/2');
    await fleet.keeper.pass();
    const [leased] = await base.db.select().from(job).where(eq(job.jobId, jobId));
    await fleet.report(n1, {
      type: 'job',
      jobId,
      epoch: leased!.epoch,
      atMs: 1,
      event: 'failed',
      class: 'permanent',
      code: 'source.not-a-directory',
      message: 'not a directory',
      hint: null,
      retryAfterMs: null,
    });
    const [dead] = await base.db.select().from(job).where(eq(job.jobId, jobId));
    expect(dead).toMatchObject({ state: 'dead-letter', active: false, error: { hint: expect.stringContaining('retry') } });
    expect((await base.db.select().from(alert).where(eq(alert.rule, 'job.dead-letter'))).length).toBe(1);
    expect(await base.transaction((tx) => retryJob(tx, jobId, fleet.clock.nowMs()))).toEqual({ ok: true });
    await fleet.runUntil(() => atRest(1), 80);
    expect(await base.transaction((tx) => cancelJob(tx, jobId, fleet.clock.nowMs()))).toMatchObject({ ok: false });
    await fleet.dispatch.stop();
  });

  test('a second copy to the same place is not planned, and a switch is not made twice', async () => {
    await start(1);
    const [copy] = await copiesNow();
    const free = [...fleet.agents.keys()].find((nodeId) => nodeId !== copy!.verifiedBy)!;
    const toTargetId = `t${free.slice(-1)}1` as never;
    const plan = { ...work(fleet.clock.nowMs()), versionId: copy!.versionId!, toTargetId, replaces: null };
    expect(await base.transaction((tx) => insertCopyJob(tx, plan))).not.toBeNull();
    expect(await base.transaction((tx) => insertCopyJob(tx, plan))).toBeNull();
    const [imported] = await base.db.select().from(job).where(eq(job.purpose, 'import'));
    expect(await base.transaction((tx) => switchJob(tx, imported!.jobId, fleet.key, fleet.clock.nowMs()))).toBe('not-ready');
    await fleet.dispatch.stop();
  });

  test('progress, inventories and faults are kept as they are told', async () => {
    await start(1);
    const [copy] = await copiesNow();
    const nodeId = copy!.verifiedBy as NodeId;
    const jobId = await fleet.import('photos', n1, '/src/photos/2');
    await fleet.keeper.pass();
    const [row] = await base.db.select().from(job).where(eq(job.jobId, jobId));
    const progress = {
      type: 'progress' as const,
      jobId,
      epoch: row!.epoch,
      atMs: 10,
      step: 'scan' as const,
      objectsDone: 1,
      objectsTotal: 3,
      bytesDone: 5,
      bytesTotal: 9,
      bytesPerSec: 1,
    };
    await base.transaction((tx) => applyProgress(tx, n1, progress));
    await base.transaction((tx) => applyProgress(tx, n1, { ...progress, atMs: 9, bytesDone: 2 }));
    await base.transaction((tx) => applyProgress(tx, n1, { ...progress, atMs: 11, epoch: 0, bytesDone: 3 }));
    expect((await base.db.select().from(job).where(eq(job.jobId, jobId)))[0]!.progress).toMatchObject({ bytesDone: 5, atMs: 10 });

    await base.transaction((tx) =>
      applyInventory(tx, nodeId, { type: 'inventory', targetId: copy!.targetId, atMs: 1, replicas: [], unknown: ['stranger'] }, fleet.clock.nowMs()),
    );
    expect((await copiesNow())[0]!.state).toBe('suspect');
    expect(
      (
        await base.db
          .select()
          .from(job)
          .where(and(eq(job.purpose, 'verify'), ne(job.state, 'done')))
      ).length,
    ).toBe(1);
    expect((await events('target.unknown-data')).length).toBe(1);

    await base.db.insert(experiment).values({
      experimentId: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      kind: 'link-cut',
      subject: n1,
      nodeId: n1,
      parameters: {},
      state: 'sent',
      startedAtMs: 1,
      endsAtMs: 2,
    });
    const fault = { type: 'fault' as const, experimentId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' as never, atMs: 1, detail: '' };
    await base.transaction((tx) => applyFaultRecord(tx, n1, { ...fault, state: 'undone' }, 5));
    await base.transaction((tx) => applyFaultRecord(tx, n1, { ...fault, state: 'armed' }, 6));
    expect((await base.db.select().from(experiment))[0]).toMatchObject({ state: 'undone', endedAtMs: 5 });
    await fleet.dispatch.stop();
  });
});
