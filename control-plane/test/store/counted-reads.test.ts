import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countReads } from '../../src/store/counted-reads.ts';
import type { Store } from '../../src/store/database.ts';
import { loadSnapshot } from '../../src/store/load-snapshot.ts';
import { accessAggregate, dataset } from '../../src/store/schema.ts';
import { storeKinds, type TestStores } from '../stores.ts';

const dayMs = 86_400_000;

describe.each(storeKinds)('reads of the past on $kind', ({ stores }) => {
  let all: TestStores;
  let store: Store;
  const nowMs = 100 * dayMs;
  const count = (after: string | null, many: number) => store.transaction((tx) => countReads(tx, nowMs, 30 * dayMs, after as DatasetId | null, many));
  const pastUse = async () => Object.fromEntries((await loadSnapshot(store)).datasets.map((one) => [one.datasetId, one.pastUse]));
  beforeAll(async () => {
    all = stores();
    store = await all.open();
    const added = (datasetId: string, createdAtMs: number) => ({ datasetId: datasetId as DatasetId, owner: 'lab', createdAtMs });
    await store.db.insert(dataset).values([added('maps', 0), added('music', 90 * dayMs), added('news', nowMs - dayMs / 2), added('quiet', 0)]);
    const minute = (datasetId: string, windowStartMs: number, reads: number) => ({
      datasetId: datasetId as DatasetId,
      windowStartMs,
      windowEndMs: windowStartMs + 60_000,
      reads,
      readBytes: reads * 1000,
      lastAccessAtMs: windowStartMs,
    });
    const minutes = [minute('maps', 60 * dayMs, 900), minute('maps', 71 * dayMs, 200), minute('maps', 99 * dayMs, 100), minute('maps', nowMs, 50)];
    await store.db.insert(accessAggregate).values([...minutes, minute('music', 91 * dayMs, 40), minute('news', nowMs - dayMs / 4, 40)]);
  });
  afterAll(() => all.stop());

  it('are told as a month would have them, over the past weeks or since the dataset was added, and not of less than a day', async () => {
    expect(await pastUse()).toEqual({ maps: null, music: null, news: null, quiet: null });
    expect(await count(null, 10)).toEqual({ last: null });
    const { maps, music, news, quiet } = await pastUse();
    expect(maps).toEqual({ readsPerMonth: expect.closeTo(300 * (730 / 720), 9), readBytesPerMonth: expect.closeTo(300_000 * (730 / 720), 6), days: 30 });
    expect(music!.days).toBe(10);
    expect(music!.readsPerMonth).toBeCloseTo(40 * (730 / 240), 9);
    expect([news, quiet]).toEqual([null, null]);
  });

  it('are counted some datasets at a time, and forgotten where none are left', async () => {
    expect(await count(null, 2)).toEqual({ last: 'music' });
    await store.db.delete(accessAggregate);
    expect(await count('music', 2)).toEqual({ last: 'quiet' });
    expect(await count('quiet', 2)).toEqual({ last: null });
    expect((await pastUse()).maps).not.toBeNull();
    await count(null, 10);
    expect((await pastUse()).maps).toBeNull();
  });
});
