import { duplicatesView } from '@data-in-motion/shared/api/duplicates';
import type { DatasetId, JobId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataset, datasetVersion, pointer, replica } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { openWithTwoCopies } from './two-copies.ts';

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

/** Another dataset with one copy on the Berlin disk; its agent did not count repeated files. */
async function add(name: string, root: string, sizeBytes: number, n: number): Promise<void> {
  const { db } = api.store;
  const atMs = await api.store.nowMs();
  const id = (kind: string) => `01JD000000000000000000${kind}${String(n).padStart(2, '0')}`;
  const [datasetId, versionId, replicaId, jobId] = [name as DatasetId, id('0V') as VersionId, id('0R') as ReplicaId, id('0J') as JobId];
  await db.insert(dataset).values({ datasetId, owner: 'ops', createdAtMs: atMs });
  await db.insert(datasetVersion).values({ versionId, datasetId, root, objects: 1, sizeBytes, jobId, committedAtMs: atMs });
  await db.insert(replica).values({ replicaId, datasetId, versionId, targetId: 'berlin-disk' as TargetId, state: 'verified', createdAtMs: atMs });
  await db.insert(pointer).values({ datasetId, versionId, replicaId, rev: 1, changedByJob: jobId, changedAtMs: atMs });
}

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
