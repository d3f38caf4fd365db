import { duplicatesView } from '@data-in-motion/shared/api/duplicates';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { datasetVersion } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { addDataset, openWithTwoCopies } from './two-copies.ts';

let api: Interface;
beforeAll(async () => {
  api = await openWithTwoCopies();
  await api.store.db.update(datasetVersion).set({ sizeBytes: 100e9, duplicateObjects: 3, duplicateBytes: 10e9 });
}, 60_000);
afterAll(() => api.close());

const look = async (query = '') => {
  api.forgetLook();
  return duplicatesView.parse(await (await api.call('GET', `/v1/duplicates${query}`, { role: 'viewer' })).json());
};

const add = (name: string, root: string, sizeBytes: number, n: number) => addDataset(api, name, root, sizeBytes, n);

test('files that repeat others are told with what they cost in all copies, and that some versions were not counted', async () => {
  await add('other', 'other root', 1e9, 1);
  const view = await look();
  expect(view).toMatchObject({ items: [], groups: 0, extraBytes: 0 });
  // 10 GB in two copies at $0.045
  expect(view.inside).toMatchObject({
    datasets: 1,
    notCounted: 1,
    bytes: 10e9,
    storagePerMonth: expect.closeTo(0.9, 9),
    most: [{ datasetId: 'maps', objects: 3 }],
  });
});

test('equal roots are told in groups, page by page, those with most bytes too many first', async () => {
  await add('maps-again', 'root', 100e9, 2);
  await add('other-again', 'other root', 1e9, 3);
  const view = await look();
  expect(view.items.map(({ root, members, extraBytes }) => [root, members.map((one) => one.datasetId), extraBytes])).toEqual([
    ['root', ['maps', 'maps-again'], 100e9],
    ['other root', ['other', 'other-again'], 1e9],
  ]);
  expect(view).toMatchObject({ groups: 2, extraBytes: 101e9, extraPerMonth: expect.closeTo(101 * 0.045, 9), next: null });
  const first = await look('?limit=1');
  expect(first.items).toEqual([view.items[0]]);
  const second = await look(`?limit=1&before=${encodeURIComponent(first.next!)}`);
  expect(second.items).toEqual([view.items[1]]);
  expect(second.next).toBeNull();
});
