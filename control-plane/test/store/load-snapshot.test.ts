import type { DatasetId, DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import { afterAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/database.ts';
import { keepEvacuation } from '../../src/store/leaving-devices.ts';
import { loadSnapshot } from '../../src/store/load-snapshot.ts';
import { accessAggregate, dataset, device } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';

const minuteMs = 60_000;
const nowMs = 1_000_000 * minuteMs + 30_000;

describe.each(storeKinds)('a snapshot from $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('adds each minute to the windows that it ends in, and to no other dataset', async () => {
    const store = await open.open();
    const [photos, maps] = ['photos', 'maps'] as DatasetId[] as [DatasetId, DatasetId];
    for (const datasetId of [photos, maps]) await store.db.insert(dataset).values({ datasetId, owner: 'o', lastAccessAtMs: nowMs, createdAtMs: 0 });
    const minute = (agoMinutes: number, reads: number) => {
      const windowStartMs = 1_000_000 * minuteMs - agoMinutes * minuteMs;
      return {
        datasetId: photos,
        windowStartMs,
        windowEndMs: windowStartMs + minuteMs,
        reads,
        writes: 1,
        readBytes: 2 ** 52,
        writtenBytes: 0,
        lastAccessAtMs: 0,
      };
    };
    await store.db
      .insert(accessAggregate)
      .values([minute(0, 1), minute(60, 10), minute(61, 100), minute(24 * 60, 1_000), minute(24 * 60 + 1, 10_000), minute(-5, 7)]);
    const { datasets } = await loadSnapshot(Object.assign(Object.create(store) as Store, { nowMs: async () => nowMs }));
    const of = (datasetId: DatasetId) => datasets.find((one) => one.datasetId === datasetId)!.windows;
    expect(of(photos).map(({ window, reads, writes }) => [window, reads, writes])).toEqual([
      ['1h', 11, 2],
      ['6h', 111, 3],
      ['24h', 1_111, 4],
    ]);
    expect(of(photos)[2]!.readBytes).toBe(2 ** 54);
    expect(of(maps).map(({ reads }) => reads)).toEqual([0, 0, 0]);
  });

  test('tells who judges a device, since when, what it says of itself, and whether it is being emptied', async () => {
    const store = await open.open();
    const facts = { nodeId: 'n' as NodeId, serial: 's', model: 'm', kind: 'hdd', transport: 'ata', capacityBytes: 1, path: '/dev/sda' } as const;
    const says = [{ text: 'it says so', attribute: 'self-assessment', value: 0 }];
    await store.db.insert(device).values([
      { ...facts, deviceId: 'a' as DeviceId },
      { ...facts, deviceId: 'b' as DeviceId, level: 'failing', judge: { kind: 'model', name: 'trees', version: '7' }, judgeSinceMs: 5, reasons: says },
    ]);
    await store.transaction((tx) => keepEvacuation(tx, 'b' as DeviceId, 9));
    expect((await loadSnapshot(store)).devices).toMatchObject([
      { deviceId: 'a', judge: '', judgeKind: 'rule', judgeSinceMs: null, saysItFails: false, evacuatingSinceMs: null },
      { deviceId: 'b', judge: 'trees 7', judgeKind: 'model', judgeSinceMs: 5, saysItFails: true, evacuatingSinceMs: 9 },
    ]);
  });
});
