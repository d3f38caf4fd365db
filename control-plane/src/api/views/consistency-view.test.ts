import { expect, test } from 'vitest';
import type { FleetRows } from '../fleet-rows.ts';
import { type ConsistencyExtras, consistencyView } from './consistency-view.ts';

const rows = { datasets: [], replicas: [], nodes: [], activeJobs: [], asOfMs: 0 } as unknown as FleetRows;

function life(nodeId: string, incarnation: number, watermark: number, highestSeen: number): ConsistencyExtras['streams'][number] {
  return {
    nodeId: nodeId as ConsistencyExtras['streams'][number]['nodeId'],
    incarnation,
    watermark,
    highestSeen,
    chain: '',
    durableUpto: 0,
    lastBatchAtMs: null,
  };
}

test('each agent is shown by its present life, with what of its earlier ones was lost', async () => {
  const streams = [life('berlin', 3, 7, 9), life('berlin', 2, 4, 5), life('berlin', 1, 10, 13), life('virginia', 1, 2, 2)];
  const view = await consistencyView(rows, { streams, scrubEveryMs: 1, quarantined: 0, syncConflicts: 0, quarantine: [] });
  expect(view.streams).toMatchObject([
    { nodeId: 'berlin', incarnation: 3, watermark: 7, holes: 2, lostBefore: 4 },
    { nodeId: 'virginia', incarnation: 1, holes: 0, lostBefore: 0 },
  ]);
});
