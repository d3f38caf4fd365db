import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, JobId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { pick, randomInt, seededRandom } from '@data-in-motion/shared/random';
import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { noAccesses } from '../../src/fleet/no-accesses.ts';
import type { FleetSnapshot } from '../../src/fleet/snapshot.ts';
import type { Store } from '../../src/store/database.ts';
import { keepHeats } from '../../src/store/heats.ts';
import { loadFleet, readSnapshot } from '../../src/store/load-snapshot.ts';
import { dataset, datasetVersion, globalPolicy, pointer, replica } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';

/** A look by somebody who has kept nothing. */
const lookAnew = (store: Store) => loadFleet(Object.create(store) as Store);

async function addDataset(store: Store, name: string): Promise<void> {
  const datasetId = name as DatasetId;
  const versionId = `${name}-v1` as VersionId;
  await store.db.insert(dataset).values({ datasetId, owner: 'o', createdAtMs: 0 });
  await store.db
    .insert(datasetVersion)
    .values({ versionId, datasetId, root: 'r', objects: 1, sizeBytes: 1, jobId: `${name}-import` as JobId, committedAtMs: 1 });
  await store.db.insert(replica).values({ replicaId: `${name}-a` as ReplicaId, datasetId, versionId, targetId: 't' as TargetId, createdAtMs: 0 });
  await store.db.insert(pointer).values({ datasetId, versionId, replicaId: `${name}-a` as ReplicaId, rev: 1, changedByJob: 'j' as JobId, changedAtMs: 0 });
}

describe.each(storeKinds)('what is kept of the datasets of $kind', { timeout: 120_000 }, ({ kind, stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('of heat is what was decided, also where windows without any access are not written down', async () => {
    const store = await open.open();
    for (const name of ['busy', 'idle', 'as-before']) await addDataset(store, name);
    const windows = noAccesses.map((counts, at) => ({ ...counts, reads: at }));
    const heatOf = (counted: Heat['windows']): Heat => ({
      class: 'cold',
      score: 0.1,
      confidence: 1,
      decidedAtMs: 5,
      lastAccessAtMs: null,
      ewmaPerHour: 0,
      windows: counted,
      reason: 'as it is',
    });
    const [busy, idle] = [heatOf(windows), heatOf(noAccesses)];
    const heats = new Map([
      ['busy' as DatasetId, busy],
      ['idle' as DatasetId, idle],
    ]);
    await store.transaction((tx) => keepHeats(tx, heats));
    await store.db
      .update(dataset)
      .set({ heat: idle })
      .where(eq(dataset.datasetId, 'as-before' as DatasetId));
    const { datasets } = await lookAnew(store);
    expect(datasets.list.map(({ row }) => [row.datasetId, row.heat])).toEqual([
      ['as-before', idle],
      ['busy', busy],
      ['idle', idle],
    ]);
    const written = await store.db
      .select({ heat: dataset.heat })
      .from(dataset)
      .where(eq(dataset.datasetId, 'idle' as DatasetId));
    expect(written).toEqual([{ heat: { ...idle, windows: [] } }]);
  });

  test('is what a first look would read, whatever is written or deleted in between', async () => {
    const store = await open.open();
    const seed = 11;
    const random = seededRandom(seed);
    const names = ['f', 'c', 'k'];
    for (const name of names) await addDataset(store, name);
    await loadFleet(store);
    const changes: ((name: string, at: number) => Promise<unknown>)[] = [
      (_, at) => {
        const name = `${'abdeghijlm'[at % 10]}${at}`;
        names.push(name);
        return addDataset(store, name);
      },
      (name, at) =>
        store.db
          .update(dataset)
          .set({ owner: `o${at}`, rev: at })
          .where(eq(dataset.datasetId, name as DatasetId)),
      (name, at) =>
        store.db
          .update(replica)
          .set({ state: at % 2 === 0 ? 'verified' : 'purged' })
          .where(eq(replica.datasetId, name as DatasetId)),
      (name, at) =>
        store.db
          .insert(replica)
          .values({ replicaId: `${name}-${at}` as ReplicaId, datasetId: name as DatasetId, versionId: null, targetId: 't' as TargetId, createdAtMs: at }),
      (name, at) =>
        store.db
          .update(pointer)
          .set({ rev: at })
          .where(eq(pointer.datasetId, name as DatasetId)),
      (name) => store.db.delete(datasetVersion).where(eq(datasetVersion.datasetId, name as DatasetId)),
      (_, at) => store.db.update(globalPolicy).set({ policy: { copies: 1 + (at % 4) } as never }),
    ];
    for (let at = 0; at < 60; at++) {
      for (let times = randomInt(random, 1, 4); times > 0; times--) await pick(random, changes)(pick(random, names), at * 10 + times);
      const [kept, anew] = [await loadFleet(store), await lookAnew(store)];
      expect(kept.datasets, `seed ${seed}, step ${at}`).toEqual(anew.datasets);
      expect(kept.snapshot.datasets, `seed ${seed}, step ${at}`).toEqual(anew.snapshot.datasets);
    }
    const [before, after] = [await loadFleet(store), await loadFleet(store)];
    expect(after.snapshot.datasets.every((facts, at) => facts === before.snapshot.datasets[at])).toBe(true);
  });

  test('is lent to a transaction, which sees what it wrote itself; nothing of that is kept when it is rolled back', async () => {
    const store = await open.open();
    await addDataset(store, 'mine');
    await addDataset(store, 'other');
    const owners = ({ datasets }: FleetSnapshot) => datasets.map(({ datasetId, owner }) => [datasetId, owner]);
    await loadFleet(store);
    const rolledBack = store.transaction(async (tx) => {
      await tx
        .update(dataset)
        .set({ owner: 'me' })
        .where(eq(dataset.datasetId, 'mine' as DatasetId));
      await tx.delete(pointer).where(eq(pointer.datasetId, 'other' as DatasetId));
      const seen = await readSnapshot(store, tx, 0);
      expect(owners(seen)).toEqual([
        ['mine', 'me'],
        ['other', 'o'],
      ]);
      expect(seen.datasets[1]!.versionId).toBeNull();
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    const [kept, anew] = [await loadFleet(store), await lookAnew(store)];
    expect(owners(kept.snapshot)).toEqual([
      ['mine', 'o'],
      ['other', 'o'],
    ]);
    expect(kept.snapshot.datasets).toEqual(anew.snapshot.datasets);
  });

  // The embedded database has one connection: nothing is written beside an open transaction.
  const testOnPostgres = kind === 'postgres' ? test : () => {};
  testOnPostgres('has in it what a transaction wrote that was open while others were looked at', async () => {
    const store = await open.open();
    await addDataset(store, 'slow');
    await addDataset(store, 'quick');
    await loadFleet(store);
    let commit = (): void => {};
    const mayCommit = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let written = (): void => {};
    const isWritten = new Promise<void>((resolve) => {
      written = resolve;
    });
    const slow = store.transaction(async (tx) => {
      await tx
        .update(dataset)
        .set({ owner: 'late' })
        .where(eq(dataset.datasetId, 'slow' as DatasetId));
      written();
      await mayCommit;
    });
    await isWritten;
    for (let at = 0; at < 3; at++) {
      await store.db
        .update(dataset)
        .set({ rev: at })
        .where(eq(dataset.datasetId, 'quick' as DatasetId));
      expect((await loadFleet(store)).snapshot.datasets.map(({ owner }) => owner)).toEqual(['o', 'o']);
    }
    commit();
    await slow;
    expect((await loadFleet(store)).snapshot.datasets.map(({ datasetId, owner }) => [datasetId, owner])).toEqual([
      ['quick', 'o'],
      ['slow', 'late'],
    ]);
  });
});
