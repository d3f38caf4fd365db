import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FleetReader } from '../../src/api/fleet-reader.ts';
import type { FleetRows } from '../../src/api/fleet-rows.ts';
import { perLook } from '../../src/api/per-look.ts';
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

test('of a large fleet a page shows what was changed here at once, and what else happens a moment later, unless it asks for the newest', async () => {
  const names = async (reading: Promise<FleetRows>) => (await reading).datasets.map(({ row }) => row.owner);
  const owner = (text: string) => api.store.db.update(dataset).set({ owner: text });
  const [large, small] = [new FleetReader(api.store, 1), new FleetReader(api.store)];
  for (const reader of [large, small]) await reader.show({ newest: false });
  await owner('by an agent');
  api.store.signals.emit('events');
  expect(await names(large.show({ newest: false }))).not.toContain('by an agent');
  expect(await names(small.show({ newest: false }))).toContain('by an agent');
  expect(await names(large.show({ newest: true }))).toContain('by an agent');
  await owner('by a person');
  large.forget();
  api.store.signals.emit('events');
  expect(await names(large.show({ newest: false }))).toContain('by a person');
  await owner('later');
  api.store.signals.emit('events');
  await vi.waitFor(async () => expect(await names(large.show({ newest: false }))).toContain('later'), { timeout: 10_000 });
});

test('what is made of all datasets is made once for each look, and again for the next where it was asked for', async () => {
  let made = 0;
  const owners = perLook(async (rows) => {
    made++;
    return rows.datasets.map(({ row }) => row.owner);
  });
  const reader = new FleetReader(api.store);
  const first = await reader.read();
  expect([await owners(first), await owners(first), made]).toEqual([['later'], ['later'], 1]);
  reader.forget();
  const second = await reader.read();
  expect(made).toBe(2);
  reader.forget();
  await reader.read();
  expect(made).toBe(2);
  expect([await owners(second), made]).toEqual([['later'], 2]);
});

test('what can not be made of a look fails for who asks for it, and for nobody else', async () => {
  const broken = perLook(() => Promise.reject(new Error('by our own mistake')));
  const reader = new FleetReader(api.store);
  await expect(broken(await reader.read())).rejects.toThrow('mistake');
  reader.forget();
  expect((await reader.read()).nodes).toHaveLength(1);
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
