import { afterAll, beforeAll, expect, test } from 'vitest';
import { FleetReader } from '../../src/api/fleet-rows.ts';
import type { Store } from '../../src/store/database.ts';
import { dataset } from '../../src/store/schema.ts';
import { type Interface, openInterface } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

test('one look at the database is under way at a time, and everybody who needs a later one shares it', async () => {
  let looks = 0;
  const counting = Object.assign(Object.create(api.store) as Store, {
    transaction: (work: never) => {
      looks++;
      return api.store.transaction(work);
    },
  });
  const reader = new FleetReader(counting);
  const first = reader.read();
  await api.store.db.insert(dataset).values({ datasetId: 'new' as never, owner: 'me', createdAtMs: 0 });
  const later = Array.from({ length: 20 }, () => {
    reader.forget();
    return reader.read();
  });
  expect(looks).toBe(1);
  await first;
  for (const rows of await Promise.all(later)) expect(rows.datasets.map(({ row }) => row.datasetId)).toContain('new');
  expect(looks).toBe(2);
  reader.forget();
  await reader.read();
  expect(looks).toBe(3);
});

test('a look that failed is not shown to the next who asks', async () => {
  let fails = true;
  const failing = Object.assign(Object.create(api.store) as Store, {
    transaction: (work: never) => (fails ? Promise.reject(new Error('away')) : api.store.transaction(work)),
  });
  const reader = new FleetReader(failing);
  await expect(reader.read()).rejects.toThrow('away');
  fails = false;
  expect((await reader.read()).nodes).toHaveLength(1);
});
