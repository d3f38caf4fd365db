import { recoveryView } from '@data-in-motion/shared/api/decisions';
import type { DeviceHistory } from '@data-in-motion/shared/api/fleet';
import type { DeviceId, NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { device, replica, target } from '../../src/store/schema.ts';
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
  api.forgetLook();
  await expect
    .poll(async () => (await recovery()).disasters.filter((one) => one.lost === 1).map(({ kind, id }) => `${kind} ${id}`))
    .toEqual(expect.arrayContaining(['node berlin', 'site berlin']));
});

test('a drive that a model expects to fail tells what is done about it, and both sums', async () => {
  const deviceId = 'sda' as DeviceId;
  const [disk] = await api.store.db
    .select()
    .from(target)
    .where(eq(target.targetId, 'berlin-disk' as TargetId));
  await api.store.db
    .update(target)
    .set({ description: { ...disk!.description, deviceIds: [deviceId] } })
    .where(eq(target.targetId, 'berlin-disk' as TargetId));
  const facts = { nodeId: 'berlin' as NodeId, serial: 's', model: 'm', kind: 'hdd', transport: 'ata', capacityBytes: 1, path: '/dev/sda' } as const;
  await api.store.db.insert(device).values({ ...facts, deviceId, level: 'at-risk', probability: 0.03, judge: { kind: 'model', name: 'trees', version: '1' } });
  api.forgetLook();
  const evacuation = async () => ((await (await api.call('GET', '/v1/devices/sda', { role: 'viewer' })).json()) as DeviceHistory).device.evacuation;
  await expect.poll(evacuation).toMatchObject({ verdict: 'watched', reason: expect.stringContaining('it stays, watched') });
  expect((await evacuation())!.leavingDollars).toBeLessThan((await evacuation())!.movingDollars!);
  expect(await (await api.call('GET', '/v1/status', { role: 'viewer' })).json()).toMatchObject({
    sentence: expect.stringContaining('1 drive is at risk; what is on it stays for now.'),
  });
});

test('a dataset that is not there is refused', async () => {
  expect((await api.call('GET', '/v1/recovery?dataset=atlantis', { role: 'viewer' })).status).toBe(404);
});
