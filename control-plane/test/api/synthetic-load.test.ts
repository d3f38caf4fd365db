import { ManualClock } from '@data-in-motion/shared/clock';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { seededRandom } from '@data-in-motion/shared/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessEvent, dataset } from '../../src/store/schema.ts';
import { startSyntheticLoad } from '../../src/synthetic-load.ts';
import { type Interface, openInterface } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

test('made-up load is a trickle of reads and writes with bursts and slow reads, and is nothing while there are no datasets', async () => {
  const clock = new ManualClock();
  const failures: string[] = [];
  const load = startSyntheticLoad(api.store, clock, seededRandom(7), (failure) => failures.push(failure.message));
  await clock.advance(5_000);
  expect(await api.store.db.select().from(accessEvent)).toEqual([]);

  for (const name of ['maps', 'photos']) await api.store.db.insert(dataset).values({ datasetId: name as DatasetId, owner: 'me', createdAtMs: 0 });
  const looks: number[] = [];
  let before = 0;
  await expect
    .poll(
      async () => {
        await clock.advance(5_000);
        const { length } = await api.store.db.select().from(accessEvent);
        if (length > before) looks.push(length - before);
        before = length;
        return looks.some((count) => count >= 200) && looks.some((count) => count < 10);
      },
      { timeout: 20_000, interval: 1 },
    )
    .toBe(true);
  await load.stop();

  const rows = await api.store.db.select().from(accessEvent);
  expect(failures).toEqual([]);
  expect(new Set(rows.map((row) => row.source))).toEqual(new Set(['synthetic']));
  expect(new Set(rows.map((row) => row.kind))).toEqual(new Set(['read', 'write']));
  expect(rows.some((row) => (row.latencyMs ?? 0) > 500)).toBe(true);
});
