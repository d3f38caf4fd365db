import { recoveryView } from '@data-in-motion/shared/api/decisions';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replica } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { copies, openWithTwoCopies } from './two-copies.ts';

let api: Interface;
beforeAll(async () => {
  api = await openWithTwoCopies();
}, 60_000);
afterAll(() => api.close());

const recovery = async (query = '') => recoveryView.parse(await (await api.call('GET', `/v1/recovery${query}`, { role: 'viewer' })).json());

test('what is left after each loss is read from where the verified copies are', async () => {
  const { datasets, disasters } = await recovery('?dataset=maps');
  expect(datasets).toMatchObject([
    { datasetId: 'maps', worst: expect.arrayContaining([expect.objectContaining({ kind: 'site', copiesLeft: 1, behindMs: 0 })]) },
  ]);
  expect(disasters.every((one) => one.lost === 0 && one.short === 1)).toBe(true);

  await api.store.db
    .update(replica)
    .set({ state: 'suspect' })
    .where(eq(replica.replicaId, copies.frankfurt as never));
  await expect
    .poll(async () => (await recovery()).disasters.filter((one) => one.lost === 1).map(({ kind, id }) => `${kind} ${id}`))
    .toEqual(expect.arrayContaining(['node berlin', 'site berlin']));
});

test('a dataset that is not there is refused', async () => {
  expect((await api.call('GET', '/v1/recovery?dataset=atlantis', { role: 'viewer' })).status).toBe(404);
});
