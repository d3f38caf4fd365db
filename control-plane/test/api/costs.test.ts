import { costsView } from '@data-in-motion/shared/api/costs';
import type { ReplicaId } from '@data-in-motion/shared/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { datasetVersion, plan } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { copies, openWithTwoCopies } from './two-copies.ts';

let api: Interface;
beforeAll(async () => {
  api = await openWithTwoCopies();
  await api.store.db.update(datasetVersion).set({ sizeBytes: 100e9 });
}, 60_000);
afterAll(() => api.close());

const costs = async () => costsView.parse(await (await api.call('GET', '/v1/costs', { role: 'viewer' })).json());

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
  await api.store.db.insert(plan).values({ planId: '01JD0000000000000000000007' as never, madeAtMs: 1, state: 'current', body: body as never });
  api.forgetLook();
  const view = await costs();
  expect(view.total).toMatchObject({ perMonth: expect.closeTo(9, 9), afterPerMonth: expect.closeTo(4.5, 9) });
  expect(view.plan).toMatchObject({ moves: 1, savesPerMonth: expect.closeTo(4.5, 9), migrationOnce: 0.5 });
  expect(view.targets.find(({ name }) => name === 'frankfurt-disk')).toMatchObject({ afterPerMonth: 0 });
});
