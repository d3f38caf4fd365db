import type { DatasetId, JobId, NodeId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/database.ts';
import { readsByPlace, sourcesOfCopies } from '../../src/store/past-use.ts';
import { accessAggregate, job, replica, switchLog } from '../../src/store/schema.ts';
import { storeKinds, type TestStores } from '../stores.ts';

const datasetId = 'maps' as DatasetId;
const versionId = 'v1' as VersionId;
const minuteMs = 60_000;

describe.each(storeKinds)('what was read where on $kind', ({ stores }) => {
  let all: TestStores;
  let store: Store;
  beforeAll(async () => {
    all = stores();
    store = await all.open();
    const { db } = store;
    for (const [replicaId, targetId] of [
      ['first', 'berlin-disk'],
      ['second', 'paris-disk'],
    ] as const)
      await db.insert(replica).values({ replicaId: replicaId as ReplicaId, datasetId, versionId, targetId: targetId as TargetId, createdAtMs: 0 });
    const switched = (toRev: number, replicaId: string, atMs: number) => ({
      jobId: `s${toRev}` as JobId,
      datasetId,
      fromRev: toRev - 1,
      toRev,
      versionId,
      replicaId: replicaId as ReplicaId,
      certificate: '{}',
      atMs,
    });
    await db.insert(switchLog).values([switched(1, 'first', 10 * minuteMs), switched(2, 'second', 50 * minuteMs)]);
    const minute = (n: number, reads: number) => {
      const [windowStartMs, windowEndMs] = [(n - 1) * minuteMs, n * minuteMs];
      return { datasetId, windowStartMs, windowEndMs, reads, readBytes: reads * 100, lastAccessAtMs: windowEndMs };
    };
    // Before the first switch; in the first place before and after a price changed; at the moment of the second switch; in the second place; after the span.
    await db.insert(accessAggregate).values([minute(5, 1), minute(20, 2), minute(21, 4), minute(35, 8), minute(50, 16), minute(60, 32), minute(100, 64)]);
  });
  afterAll(() => all.stop());

  it('is added up by the place that the pointer named and by the price that counted', async () => {
    const reads = await readsByPlace(store.db, [15 * minuteMs, 30 * minuteMs], 90 * minuteMs);
    expect(reads.sort((a, b) => a.era - b.era || (a.targetId < b.targetId ? -1 : 1))).toEqual([
      { datasetId, targetId: 'berlin-disk', era: 0, reads: 6, bytes: 600 },
      { datasetId, targetId: 'berlin-disk', era: 1, reads: 8, bytes: 800 },
      { datasetId, targetId: 'paris-disk', era: 1, reads: 48, bytes: 4_800 },
    ]);
  });

  it('and a copy that was made from another remembers where it was read', async () => {
    const made = { key: 'k', datasetId, state: 'done' as const, active: false, moverNodeId: 'paris' as NodeId, createdAtMs: 0 };
    const copied = { jobId: 'c' as JobId, purpose: 'copy' as const, readReplicaId: 'first' as ReplicaId, toReplicaId: 'second' as ReplicaId };
    const imported = { jobId: 'i' as JobId, key: 'other', purpose: 'import' as const, toReplicaId: 'first' as ReplicaId };
    await store.db.insert(job).values([
      { ...made, ...copied },
      { ...made, ...imported },
    ]);
    expect([...(await sourcesOfCopies(store.db))]).toEqual([['second', 'berlin-disk']]);
  });
});
