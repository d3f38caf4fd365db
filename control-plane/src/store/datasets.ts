import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { PolicyOverride } from '@data-in-motion/shared/domain/policy';
import { Failure } from '@data-in-motion/shared/failure';
import { and, eq } from 'drizzle-orm';
import type { Db, Store } from './database.ts';
import { appendEvents } from './events.ts';
import { insertImportJob } from './jobs.ts';
import { dataset, type ImportSource } from './schema.ts';

export interface NewDatasetRow {
  readonly datasetId: DatasetId;
  readonly owner: string;
  readonly ownPolicy: PolicyOverride;
  readonly source: ImportSource;
}

/** Register a dataset and admit its first import, in one transaction. @throws refused `dataset.exists` */
export async function createDataset(store: Store, row: NewDatasetRow, by: string): Promise<{ jobId: string }> {
  return store.transaction(async (tx) => {
    const nowMs = await store.nowMs(tx);
    const [made] = await tx
      .insert(dataset)
      .values({ datasetId: row.datasetId, owner: row.owner, ownPolicy: row.ownPolicy, createdAtMs: nowMs })
      .onConflictDoNothing()
      .returning({ datasetId: dataset.datasetId });
    if (made === undefined) {
      throw new Failure('refused', {
        code: 'dataset.exists',
        message: `There is already a dataset "${row.datasetId}".`,
        hint: 'Choose another name, or add a version to it: dim datasets import.',
        ids: { datasetId: row.datasetId },
      });
    }
    await appendEvents(tx, nowMs, [
      { type: 'dataset.created', severity: 'info', text: `${by} registered dataset ${row.datasetId}.`, ids: { datasetId: row.datasetId }, by },
    ]);
    return { jobId: await insertImportJob(tx, { datasetId: row.datasetId, source: row.source, reason: 'first import', nowMs }) };
  });
}

/** Bring in another version of a dataset that is there. */
export async function addVersion(store: Store, datasetId: DatasetId, source: ImportSource): Promise<{ jobId: string }> {
  return store.transaction(async (tx) => {
    await readDataset(tx, datasetId);
    return { jobId: await insertImportJob(tx, { datasetId, source, reason: 'new version', nowMs: await store.nowMs(tx) }) };
  });
}

/** @throws refused `dataset.not-found` */
export async function readDataset(db: Db, datasetId: DatasetId) {
  const [row] = await db.select().from(dataset).where(eq(dataset.datasetId, datasetId));
  if (row === undefined) {
    throw new Failure('refused', {
      code: 'dataset.not-found',
      message: `There is no dataset "${datasetId}".`,
      hint: 'dim datasets lists them.',
      ids: { datasetId },
    });
  }
  return row;
}

export interface DatasetChange {
  readonly owner?: string | undefined;
  readonly ownPolicy?: PolicyOverride;
}

/**
 * Change a dataset by compare-and-set. With `expectedRev` a change in between is told (412); without, the change is applied on top of what is there.
 * Either way the meeting of two changes is counted as `sync_conflict`.
 *
 * @param change computes the new fields from the present row
 * @returns the new revision
 */
export async function changeDataset(
  store: Store,
  datasetId: DatasetId,
  expectedRev: number | null,
  change: (row: Awaited<ReturnType<typeof readDataset>>) => DatasetChange,
  by: string,
): Promise<number> {
  const mostAttempts = 20;
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const row = await readDataset(store.db, datasetId);
    if (expectedRev !== null && row.rev !== expectedRev) {
      await noteConflict(store, `dataset ${datasetId}`, { datasetId }, by);
      throw new Failure('refused', {
        code: 'dataset.stale',
        message: `Dataset ${datasetId} is at revision ${row.rev}, not ${expectedRev}.`,
        hint: 'Read it again and repeat the change.',
        ids: { datasetId },
      });
    }
    const [changed] = await store.db
      .update(dataset)
      .set({ ...change(row), rev: row.rev + 1 })
      .where(and(eq(dataset.datasetId, datasetId), eq(dataset.rev, row.rev)))
      .returning({ rev: dataset.rev });
    if (changed !== undefined) return changed.rev;
    if (expectedRev === null) await noteConflict(store, `dataset ${datasetId}`, { datasetId }, by);
  }
  throw new Failure('unavailable', {
    code: 'dataset.contended',
    message: `Dataset ${datasetId} is being changed by many at once.`,
    hint: 'Try again in a moment.',
    ids: { datasetId },
  });
}

/** Count the meeting of two changes of one thing. */
export async function noteConflict(store: Store, thing: string, ids: Readonly<Record<string, string>>, by: string): Promise<void> {
  await store.transaction(async (tx) => {
    const nowMs = await store.nowMs(tx);
    await appendEvents(tx, nowMs, [
      { type: 'sync_conflict', severity: 'info', text: `Two changes of ${thing} met; the later one was not made on what it had not seen.`, ids, by },
    ]);
  });
}
