import type { NodeId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { applyInventory } from '../../src/store/inventory.ts';
import { cancelJob } from '../../src/store/job-wishes.ts';
import { leaseJob } from '../../src/store/leases.ts';
import { device, event, node, replica, syncQueue, target } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import type { FleetOptions } from './fake-fleet.ts';
import { n1, photos, startedFleet } from './started-fleet.ts';

describe.each(storeKinds)('a copy, on $kind', { timeout: 60_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());
  const start = async (options: FleetOptions = {}) => startedFleet(await open.open(), options);

  test('that is listed and over by its row, or has none, is told; one that will be deleted is not', async () => {
    const { fleet, db, addPhotos } = await start();
    const copy = await addPhotos();
    const made = { datasetId: photos, versionId: copy.versionId, targetId: copy.targetId, why: 'test', createdAtMs: 1 };
    const id = (last: string) => `01ARZ3NDEKTSV4RRFFQ69G5FA${last}` as ReplicaId;
    await db.insert(replica).values([
      { ...made, replicaId: id('A'), state: 'abandoned' },
      { ...made, replicaId: id('B'), state: 'abandoned', verifiedAtMs: 5 },
      { ...made, replicaId: id('C'), state: 'purged' },
    ]);
    const listed = [copy.replicaId, id('A'), id('B'), id('C'), id('D')].map((replicaId) => ({
      ...{ replicaId, datasetId: photos, root: copy.verifiedRoot, place: 'live' as const },
    }));
    await fleet.store.transaction((tx) =>
      applyInventory(tx, copy.verifiedBy as NodeId, { type: 'inventory', targetId: copy.targetId, atMs: 1, replicas: listed, unknown: [] }, 1),
    );
    const [told] = await db.select().from(event).where(eq(event.type, 'target.unknown-data'));
    expect(told!.ids).toMatchObject({ things: 3 });
    for (const last of ['B', 'C', 'D']) expect(told!.text).toContain(id(last));
    await fleet.dispatch.stop();
  });

  test('that is doubted and that no job looks at is looked at', async () => {
    const { fleet, db, restWith, copies, addPhotos } = await start();
    await addPhotos();
    await db.update(replica).set({ state: 'suspect' });
    await fleet.runUntil(restWith(1), 10);
    expect((await copies()).map((copy) => copy.state)).toEqual(['verified']);
    await fleet.dispatch.stop();
  });

  test('that is owed a look on a node that fell silent for a moment is still seen to', async () => {
    const { fleet, db, copies, addPhotos } = await start();
    const copy = await addPhotos();
    await db.update(replica).set({ state: 'suspect' }).where(eq(replica.replicaId, copy.replicaId));
    const owed = { id: 'verify', kind: 'verify-returned', replicaId: copy.replicaId, datasetId: photos, nodeId: copy.verifiedBy as NodeId };
    await db.insert(syncQueue).values({ ...owed, state: 'pending', attempts: 0, detail: '', createdAtMs: 1, changedAtMs: 1 });
    expect((await db.select().from(node).where(eq(node.nodeId, owed.nodeId)))[0]!.agentState).toBe('online');
    await fleet.runUntil(async () => (await copies())[0]!.state === 'verified' && (await db.select().from(syncQueue))[0]!.state === 'applied', 20);
    await fleet.dispatch.stop();
  });

  test('is read where the plan said, by which it is priced; where that is gone, beside the destination', async () => {
    const { fleet, db, copies, restWith, plan, jobOf } = await start({ policy: { copies: 2 }, targetsPerNode: 2 });
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(restWith(2));
    const [near, far] = await copies();
    const beside = near!.targetId.replace(/\d$/, (n) => (n === '1' ? '2' : '1'));
    const readOf = async (): Promise<ReplicaId | null> => {
      const jobId = await plan(beside, far!.replicaId);
      await fleet.store.transaction((tx) => leaseJob(tx, jobId, 30_000, fleet.clock.nowMs()));
      const { readReplicaId } = await jobOf(jobId);
      await fleet.store.transaction((tx) => cancelJob(tx, jobId, fleet.clock.nowMs()));
      return readReplicaId;
    };
    expect(await readOf()).toBe(far!.replicaId);
    await db.update(replica).set({ state: 'suspect' }).where(eq(replica.replicaId, far!.replicaId));
    expect(await readOf()).toBe(near!.replicaId);
    await fleet.dispatch.stop();
  });

  test('is not read where it can not be reached or where the drive is dying, though that is beside the destination', async () => {
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
