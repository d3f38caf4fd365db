import { duplicatesView } from '@data-in-motion/shared/api/duplicates';
import { writeFiles } from '@data-in-motion/shared/domain/file-sample';
import type { DatasetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileSample, pointer } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { addDataset, openWithTwoCopies } from './two-copies.ts';

let api: Interface;
beforeAll(async () => {
  api = await openWithTwoCopies();
}, 60_000);
afterAll(() => api.close());

test('files that several datasets have are told beside equal trees, of which one is looked at, and who told no sample', async () => {
  const [held] = await api.store.db
    .select()
    .from(pointer)
    .where(eq(pointer.datasetId, 'maps' as DatasetId));
  const files = (...sizes: number[]) => writeFiles(sizes.map((sizeBytes) => ({ hash: sizeBytes, sizeBytes })));
  await addDataset(api, 'maps-again', 'root', 100e9, 2);
  await addDataset(api, 'plans', 'a third root', 1e9, 4);
  await addDataset(api, 'roads', 'a fourth root', 1e9, 5);
  const sample = (versionId: string, text: string) => ({ versionId: versionId as VersionId, level: 0, completeFromBytes: 0, files: text });
  await api.store.db.insert(fileSample).values([
    sample(held!.versionId, files(10e9, 20e9)),
    // The same tree as maps.
    sample('01JD0000000000000000000V02', files(10e9, 20e9)),
    sample('01JD0000000000000000000V04', files(20e9, 30e9)),
  ]);
  const { across } = duplicatesView.parse(await (await api.call('GET', '/v1/duplicates', { role: 'viewer' })).json());
  expect(across).toMatchObject({ datasets: 1, notSampled: 1, bytes: 20e9, exactBytes: 20e9, errorBytes: 0 });
  // 20 GB more than needed, in the copy of plans or in those of maps, whichever came later.
  expect(across.most).toMatchObject([{ files: 1, bytes: 20e9 }]);
  expect([across.most[0]!.datasetId, across.most[0]!.mostWith].sort()).toEqual(['maps', 'plans']);
});
