import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { expect, test } from 'vitest';
import { ByDataset } from './by-dataset.ts';

test('a list read by name is as a map of it would be, without what nothing is kept of', () => {
  const [maps, empty, photos] = ['maps', 'empty', 'photos'] as DatasetId[] as [DatasetId, DatasetId, DatasetId];
  const places = new Map([maps, empty, photos].map((datasetId, place) => [datasetId, place]));
  const values = [3, undefined, 7];
  const list = new ByDataset(places, (place) => values[place]);
  const map = new Map([
    [maps, 3],
    [photos, 7],
  ]);
  expect([...list]).toEqual([...map]);
  expect([[...list.keys()], [...list.values()], list.size]).toEqual([[...map.keys()], [...map.values()], map.size]);
  for (const datasetId of [maps, empty, photos, 'elsewhere' as DatasetId])
    expect([list.get(datasetId), list.has(datasetId)]).toEqual([map.get(datasetId), map.has(datasetId)]);
  const told: unknown[] = [];
  list.forEach((value, datasetId) => void told.push([datasetId, value]));
  expect(told).toEqual([...map]);
});
