import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { afterAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/database.ts';
import { loadSnapshot } from '../../src/store/load-snapshot.ts';
import { accessAggregate, dataset } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';

const minuteMs = 60_000;
const nowMs = 1_000_000 * minuteMs + 30_000;

describe.each(storeKinds)('a snapshot from $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('adds each minute to the windows that it ends in, and to no other dataset', async () => {
    const store = await open.open();
    const [photos, maps] = ['photos', 'maps'] as DatasetId[] as [DatasetId, DatasetId];
    for (const datasetId of [photos, maps]) await store.db.insert(dataset).values({ datasetId, owner: 'o', createdAtMs: 0 });
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
});
