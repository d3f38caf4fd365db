import type { VersionId } from '@data-in-motion/shared/domain/ids';
import { expect, test } from 'vitest';
import { datasetFacts, fleetOf, prices, replicaFacts, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { duplicateGroups, repeatedFiles, type VersionFacts } from './duplicates.ts';

const targets = [targetFacts('berlin-disk', { prices: prices(0.02) }), targetFacts('boston-cold', { prices: prices(0.01, { minimumObjectBytes: 1e6 }) })];
const datasets = [
  datasetFacts('maps', ['berlin-disk', 'boston-cold'], {}, { owner: 'lab' }),
  datasetFacts('maps-again', ['berlin-disk'], {}, { owner: 'ops' }),
  datasetFacts('other', ['berlin-disk']),
];
const fleet = fleetOf({ targets, datasets });
const version = (datasetId: string, root: string, more: Partial<VersionFacts> = {}): VersionFacts => ({
  versionId: `${datasetId}-v1` as VersionId,
  datasetId: datasetId as VersionFacts['datasetId'],
  root,
  objects: 1_000,
  sizeBytes: 10e9,
  duplicateObjects: null,
  duplicateBytes: null,
  ...more,
});

test('datasets with one root are one tree: what the one with fewer copies holds is too much, and costs what its places cost', () => {
  expect(duplicateGroups(fleet, [version('maps', 'aa'), version('maps-again', 'aa'), version('other', 'bb')])).toEqual([
    {
      root: 'aa',
      objects: 1_000,
      sizeBytes: 10e9,
      members: [
        expect.objectContaining({ datasetId: 'maps', owner: 'lab', copies: 2, bytes: 20e9, storagePerMonth: expect.closeTo(0.3, 9), isCurrent: true }),
        expect.objectContaining({ datasetId: 'maps-again', owner: 'ops', copies: 1, bytes: 10e9, storagePerMonth: expect.closeTo(0.2, 9) }),
      ],
      extraBytes: 10e9,
      extraPerMonth: expect.closeTo(0.2, 9),
    },
  ]);
});

test('what is billed as larger costs more as a duplicate too', () => {
  const small = { objects: 100_000, sizeBytes: 1e9 };
  const cold = fleetOf({ targets, datasets: [datasetFacts('a', ['berlin-disk', 'boston-cold']), datasetFacts('b', ['boston-cold'])] });
  // 100,000 objects of at least 1 MB are 100 GB
  expect(duplicateGroups(cold, [version('a', 'x', small), version('b', 'x', small)])).toMatchObject([{ extraBytes: 1e9, extraPerMonth: expect.closeTo(1, 9) }]);
});

test('a version without a copy that is paid for is no duplicate, nor are empty trees', () => {
  const gone = fleetOf({
    targets,
    datasets: [datasets[0]!, datasetFacts('maps-again', [], {}, { replicas: [replicaFacts('maps-again', 'berlin-disk', { state: 'missing' })] })],
  });
  expect(duplicateGroups(gone, [version('maps', 'aa'), version('maps-again', 'aa')])).toEqual([]);
  const nothing = { objects: 0, sizeBytes: 0 };
  expect(duplicateGroups(fleet, [version('maps', 'e', nothing), version('maps-again', 'e', nothing)])).toEqual([]);
});

test('the same tree imported twice into one dataset is a duplicate as long as the old copies are there; kept is what readers see', () => {
  const old = replicaFacts('maps', 'boston-cold', { versionId: 'maps-v0' as VersionId });
  const dataset = datasetFacts('maps', ['berlin-disk']);
  const both = fleetOf({ targets, datasets: [{ ...dataset, replicas: [...dataset.replicas, old] }] });
  const [group] = duplicateGroups(both, [version('maps', 'aa', { versionId: 'maps-v0' as VersionId }), version('maps', 'aa')]);
  expect(group).toMatchObject({
    members: [
      { versionId: 'maps-v1', isCurrent: true },
      { versionId: 'maps-v0', isCurrent: false },
    ],
    extraBytes: 10e9,
  });
});

test('files that repeat others are told for present versions, once for each copy in the dollars; what was not counted is not told as none', () => {
  const counted = { duplicateObjects: 40, duplicateBytes: 2e9 };
  expect(
    repeatedFiles(fleet, [version('maps', 'aa', counted), version('other', 'bb'), version('maps', 'old', { ...counted, versionId: 'maps-v0' as VersionId })]),
  ).toEqual([{ datasetId: 'maps', owner: 'lab', versionId: 'maps-v1', objects: 40, bytes: 2e9, storagePerMonth: expect.closeTo(0.06, 9) }]);
});
