import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { and, asc, getTableColumns, gt, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { type Db, rowsOf } from './database.ts';
import { dataset, datasetVersion, pointer, replica } from './schema.ts';

export type DatasetRow = typeof dataset.$inferSelect;
export type VersionRow = typeof datasetVersion.$inferSelect;
export type PointerRow = typeof pointer.$inferSelect;
export type ReplicaRow = typeof replica.$inferSelect;

/** The rows of one dataset. Never changed: when one of them is another, so is this. */
export interface DatasetRows {
  readonly row: DatasetRow;
  readonly pointer: PointerRow | undefined;
  /** In the order in which they were committed. */
  readonly versions: readonly VersionRow[];
  /** In any state, by name. */
  readonly replicas: readonly ReplicaRow[];
}

/** All datasets by name, as one transaction saw them; `at` is where each is in the list. */
export interface AllDatasets {
  readonly list: readonly DatasetRows[];
  readonly at: ReadonlyMap<DatasetId, number>;
}

/** Many rows come in such pages, or the process would stand still while they are unpacked. */
const rowsPerPage = 2_000;
const none: AllDatasets = { list: [], at: new Map() };

/**
 * The rows of all datasets, kept from one look to the next: after the first only what was written since is read. Which that is the server says itself: a row
 * carries the number of the transaction that wrote it, and every one that was not yet visible to a look has a number from that look's lowest open one on
 * (PostgreSQL documentation, "Snapshot synchronisation functions": `pg_snapshot_xmin`). Rows that are gone show in the counts; then all is read again, as it
 * is on another server or after lost commits.
 */
export class KeptDatasets {
  #source = '';
  #horizon: string | null = null;
  #all = none;

  /**
   * @param tx of one consistent view (repeatable read): rows of different moments would not fit together
   * @param source which server and history this is; what was kept of another one is forgotten
   */
  async read(tx: Db, source: string): Promise<AllDatasets> {
    const [look] = await rowsOf<{ horizon: string }>(tx, sql`select pg_snapshot_xmin(pg_current_snapshot())::xid::text as horizon`);
    const before = source === this.#source && this.#horizon !== null ? this.#all : none;
    let all = await readSince(tx, before, before === none ? null : this.#horizon);
    if (before !== none && !(await isWhole(tx, all))) all = await readSince(tx, none, null);
    this.#source = source;
    this.#horizon = look!.horizon;
    this.#all = all;
    return all;
  }
}

async function readSince(tx: Db, before: AllDatasets, horizon: string | null): Promise<AllDatasets> {
  const datasets = (await written(tx, dataset, 'datasetId', horizon)) as DatasetRow[];
  const versions = (await written(tx, datasetVersion, 'versionId', horizon)) as VersionRow[];
  const pointers = (await written(tx, pointer, 'datasetId', horizon)) as PointerRow[];
  const replicas = (await written(tx, replica, 'replicaId', horizon)) as ReplicaRow[];
  if (datasets.length + versions.length + pointers.length + replicas.length === 0) return before;
  const changed = new Map<DatasetId, Writable>();
  const open = (datasetId: DatasetId): Writable | undefined => {
    const known = changed.get(datasetId);
    if (known !== undefined) return known;
    const at = before.at.get(datasetId);
    if (at === undefined) return undefined;
    const copy = { ...before.list[at]! };
    changed.set(datasetId, copy);
    return copy;
  };
  for (const row of datasets) {
    const known = open(row.datasetId);
    if (known !== undefined) known.row = row;
    else changed.set(row.datasetId, { row, pointer: undefined, versions: [], replicas: [] });
  }
  for (const row of pointers) {
    const of = open(row.datasetId);
    if (of !== undefined) of.pointer = row;
  }
  const add = before === none ? push : put;
  for (const row of versions) {
    const of = open(row.datasetId);
    if (of !== undefined) of.versions = add(of.versions, row, 'versionId');
  }
  for (const row of replicas) {
    const of = open(row.datasetId);
    if (of !== undefined) of.replicas = add(of.replicas, row, 'replicaId');
  }
  for (const of of changed.values()) {
    if (of.versions.length > 1) of.versions = [...of.versions].sort((a, b) => a.committedAtMs - b.committedAtMs || (a.versionId < b.versionId ? -1 : 1));
    if (of.replicas.length > 1) of.replicas = [...of.replicas].sort((a, b) => (a.replicaId < b.replicaId ? -1 : 1));
  }
  return merge(before, changed);
}

type Writable = { -readonly [Field in keyof DatasetRows]: DatasetRows[Field] };

/** In a first reading every list is new. */
function push<Row>(rows: readonly Row[], row: Row): readonly Row[] {
  (rows as Row[]).push(row);
  return rows;
}

function put<Row>(rows: readonly Row[], row: Row, name: keyof Row): readonly Row[] {
  return [...rows.filter((one) => one[name] !== row[name]), row];
}

function merge(before: AllDatasets, changed: ReadonlyMap<DatasetId, DatasetRows>): AllDatasets {
  const list = [...before.list];
  let isLonger = false;
  for (const [datasetId, rows] of changed) {
    const at = before.at.get(datasetId);
    if (at !== undefined) list[at] = rows;
    else isLonger = list.push(rows) > 0;
  }
  if (!isLonger) return { list, at: before.at };
  list.sort((a, b) => (a.row.datasetId < b.row.datasetId ? -1 : 1));
  return { list, at: new Map(list.map(({ row }, at) => [row.datasetId, at])) };
}

/** The rows of a table that were written since, page by page; all of them where there is no since. */
async function written(tx: Db, table: PgTable, name: string, horizon: string | null): Promise<unknown[]> {
  const column = getTableColumns(table)[name] as PgColumn;
  const isNew = horizon === null ? undefined : sql`age(${table}.xmin) <= age(${horizon}::text::xid)`;
  const rows: Record<string, unknown>[] = [];
  for (;;) {
    const last = rows.at(-1)?.[name];
    const page = await tx
      .select()
      .from(table)
      .where(and(isNew, last === undefined ? undefined : gt(column, last)))
      .orderBy(asc(column))
      .limit(rowsPerPage);
    for (const row of page) rows.push(row);
    if (page.length < rowsPerPage) return rows;
  }
}

/** Whether as many rows are kept as there are: a row that was deleted is in no reading of what was written. */
async function isWhole(tx: Db, { list }: AllDatasets): Promise<boolean> {
  const [there] = await rowsOf<{ datasets: number; pointers: number; versions: number; replicas: number }>(
    tx,
    sql`select (select count(*) from ${dataset})::int as datasets, (select count(*) from ${pointer})::int as pointers,
      (select count(*) from ${datasetVersion})::int as versions, (select count(*) from ${replica})::int as replicas`,
  );
  const sum = (of: (rows: DatasetRows) => number): number => list.reduce((total, rows) => total + of(rows), 0);
  return (
    there!.datasets === list.length &&
    there!.pointers === sum(({ pointer }) => (pointer === undefined ? 0 : 1)) &&
    there!.versions === sum(({ versions }) => versions.length) &&
    there!.replicas === sum(({ replicas }) => replicas.length)
  );
}
