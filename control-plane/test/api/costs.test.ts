import { costsView, pastCostsView } from '@data-in-motion/shared/api/costs';
import { datasetDetail } from '@data-in-motion/shared/api/datasets';
import { datasetExplanation } from '@data-in-motion/shared/api/explanation';
import type { DatasetId, JobId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessAggregate, dataset, datasetVersion, plan, priceEntry, replica, switchLog } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { copies, openWithTwoCopies } from './two-copies.ts';

let api: Interface;
beforeAll(async () => {
  api = await openWithTwoCopies();
  await api.store.db.update(datasetVersion).set({ sizeBytes: 100e9 });
}, 60_000);
afterAll(() => api.close());

const costs = async () => costsView.parse(await (await api.call('GET', '/v1/costs', { role: 'viewer' })).json());
const detail = async () => datasetDetail.parse(await (await api.call('GET', '/v1/datasets/maps', { role: 'viewer' })).json());

test('what the copies cost is told in whole, by tier, target and owner; without a plan nothing is said of what comes after it', async () => {
  const view = await costs();
  // Two copies of 100 GB at the $0.045 of the flash shelf.
  expect(view.total).toMatchObject({ perMonth: expect.closeTo(9, 9), afterPerMonth: null, copies: 2, bytes: 200e9, datasets: 1 });
  expect(view.owners).toMatchObject([{ name: 'cartography', perMonth: expect.closeTo(9, 9), share: 1, datasets: 1 }]);
  expect(view.targets.map(({ name, share }) => [name, share])).toEqual([
    ['berlin-disk', 0.5],
    ['frankfurt-disk', 0.5],
  ]);
  expect(view.tiers).toMatchObject([{ name: 'hot', cost: { storagePerMonth: expect.closeTo(9, 9), retrievalPerMonth: 0 } }]);
  expect(view.plan).toBeNull();
});

test('a copy of an old version is billed, counted and explained at its own size', async () => {
  const { db } = api.store;
  const [datasetId, versionId] = ['maps' as DatasetId, '01JC0000000000000000000000' as VersionId];
  const old = { versionId, datasetId, root: 'older', objects: 1, sizeBytes: 10e9, jobId: '01JC0000000000000000000009' as JobId, committedAtMs: 0 };
  await db.insert(datasetVersion).values(old);
  const copy = { replicaId: '01JC0000000000000000000001' as ReplicaId, datasetId, versionId, targetId: 'berlin-nvme' as TargetId, createdAtMs: 0 };
  await db.insert(replica).values({ ...copy, state: 'verified', verifiedAtMs: 0 });
  api.forgetLook();
  expect((await costs()).total).toMatchObject({ perMonth: expect.closeTo(9.45, 9), copies: 3, bytes: 210e9 });
  const explained = datasetExplanation.parse(await (await api.call('GET', '/v1/datasets/maps/explanation', { role: 'viewer' })).json());
  expect(explained.costPerMonth).toBeCloseTo(9.45, 9);
  expect(explained.billed).toEqual({
    minimised: { copies: 2, perMonth: expect.closeTo(9, 9) },
    otherVersions: { copies: 1, perMonth: expect.closeTo(0.45, 9) },
    unusable: { copies: 0, perMonth: 0 },
  });
  const counted = explained.copies.filter(({ replicaId }) => replicaId !== copy.replicaId);
  const besides = counted.reduce((sum, { parts }) => sum + parts.waitingPerMonth + parts.riskPerMonth, 0);
  expect(explained.objectivePerMonth).toBeCloseTo(9 + besides, 9);
  const { dataset: maps, replicas } = await detail();
  expect(maps.costPerMonth).toBeCloseTo(9.45, 9);
  for (const each of replicas) {
    expect(each.why, each.replicaId).toMatch(/./);
    expect(each.cost, each.replicaId).toMatchObject({ storagePerMonth: expect.closeTo(each.replicaId === copy.replicaId ? 0.45 : 4.5, 9), egressPerMonth: 0 });
  }

  // In the trash it is billed as before, and nobody says any more why it is there.
  await db.update(replica).set({ state: 'trashed' }).where(eq(replica.replicaId, copy.replicaId));
  api.forgetLook();
  const trashed = (await detail()).replicas.find(({ replicaId }) => replicaId === copy.replicaId)!;
  expect(trashed).toMatchObject({ state: 'trashed', costPerMonth: expect.closeTo(0.45, 9), cost: { storagePerMonth: expect.closeTo(0.45, 9) } });
  expect(trashed.why).toBeUndefined();
  await db.delete(replica).where(eq(replica.replicaId, copy.replicaId));
  await db.delete(datasetVersion).where(eq(datasetVersion.versionId, versionId));
  api.forgetLook();
});

test('with a plan it is told what its moves would save', async () => {
  const move = {
    datasetId: 'maps',
    action: 'retire',
    fromReplicaId: copies.frankfurt as ReplicaId,
    fromTargetId: 'frankfurt-disk',
    toTargetId: null,
    sizeBytes: 100e9,
  };
  const body = { planId: 'p', madeAtMs: 1, migrationOnce: 0.5, moves: [move], infeasible: [] };
  await api.store.db
    .insert(plan)
    .values({ planId: '01JD0000000000000000000007' as never, madeAtMs: 1, state: 'current', body: body as never, summary: {} as never });
  api.forgetLook();
  const view = await costs();
  expect(view.total).toMatchObject({ perMonth: expect.closeTo(9, 9), afterPerMonth: expect.closeTo(4.5, 9) });
  expect(view.plan).toMatchObject({ moves: 1, savesPerMonth: expect.closeTo(4.5, 9), migrationOnce: 0.5 });
  expect(view.targets.find(({ name }) => name === 'frankfurt-disk')).toMatchObject({ afterPerMonth: 0 });
});

test('the last days are told from the ledger: copies that are gone too, and reads where the primary was when they came', async () => {
  const { db } = api.store;
  const nowMs = await api.store.nowMs();
  const dayMs = 86_400_000;
  const [datasetId, versionId] = ['maps' as DatasetId, '01JD0000000000000000000000' as VersionId];
  const began = nowMs - 40 * dayMs;
  await db.update(dataset).set({ createdAtMs: began, ownPolicy: { copies: 1 } });
  await db.update(datasetVersion).set({ committedAtMs: began });
  await db.update(replica).set({ createdAtMs: began });
  // A third copy was there until ten days ago.
  const gone = { state: 'purged' as const, verifiedAtMs: began, createdAtMs: began, endedAtMs: nowMs - 10 * dayMs };
  await db.insert(replica).values({ replicaId: '01JD0000000000000000000003' as ReplicaId, datasetId, versionId, targetId: 'berlin-nvme' as TargetId, ...gone });
  // The primary was in Frankfurt until five days ago.
  const switched = (toRev: number, replicaId: string, atMs: number) => ({
    jobId: `01JD00000000000000000000S${toRev}` as JobId,
    datasetId,
    fromRev: toRev - 1,
    toRev,
    versionId,
    replicaId: replicaId as ReplicaId,
    certificate: '{}',
    atMs,
  });
  await db.insert(switchLog).values([switched(1, copies.frankfurt, began), switched(2, copies.berlin, nowMs - 5 * dayMs)]);
  const read = (agoDays: number, reads: number) => {
    const windowEndMs = nowMs - agoDays * dayMs;
    return { datasetId, windowStartMs: windowEndMs - 60_000, windowEndMs, reads, readBytes: reads * 1e9, lastAccessAtMs: windowEndMs };
  };
  await db.insert(accessAggregate).values([read(35, 1_000), read(20, 10), read(1, 4)]);
  // Frankfurt asks for what leaves it, as Berlin does not; the flash shelf became dearer 15 days ago.
  const shelf = { storagePerGbMonth: 0.045, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0, retrievalPerGb: 0, minimumDays: 0, minimumObjectBytes: 0 };
  const entry = (validFromMs: number, prices: Partial<typeof shelf>) => ({
    rev: 2,
    priceClass: 'onprem-nvme',
    validFromMs,
    source: 's',
    prices: { ...shelf, ...prices },
  });
  await db.insert(priceEntry).values([entry(0, { egressPerGb: 0.1 }), entry(nowMs - 15 * dayMs, { storagePerGbMonth: 0.09, egressPerGb: 0.2 })]);
  api.forgetLook();

  const view = pastCostsView.parse(await (await api.call('GET', '/v1/costs/past?days=30', { role: 'viewer' })).json());
  const month = 730 / 24;
  // Two copies of 100 GB: 15 days at $0.045 and 15 at $0.09; the third 15 days at the one and 5 at the other.
  expect(view.spent.storage).toBeCloseTo((2 * 15 * 4.5 + 2 * 15 * 9 + 15 * 4.5 + 5 * 9) / month, 3);
  expect(view.spent.egress).toBeCloseTo(10 * 0.1 + 4 * 0.2, 9);
  // One copy would have been enough.
  expect(view.compared).toMatchObject({ datasets: 1, best: { storage: expect.closeTo((15 * 4.5 + 15 * 9) / month, 3), moving: 0 } });
  expect(view.most).toMatchObject([{ datasetId: 'maps', owner: 'cartography' }]);
  expect(view.next.asItIs).toBeCloseTo(((await costs()).total.perMonth * 30) / month, 6);
});
