import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { eachInSlices } from '@data-in-motion/shared/in-slices';
import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { areNone, noAccesses } from '../fleet/no-accesses.ts';
import { type Db, rowsOf } from './database.ts';
import { dataset, datasetVersion, pointer, replica } from './schema.ts';

type Columns<Table extends { $inferSelect: unknown }, Names extends readonly (keyof Table['$inferSelect'])[]> = Pick<Table['$inferSelect'], Names[number]>;

/** What is kept of each table. A fleet has hundreds of thousands of these rows, so what no decision and no page reads stays in the database. */
const kept = {
  dataset: ['datasetId', 'owner', 'rev', 'ownPolicy', 'heat', 'countedReads', 'lastAccessAtMs', 'lastMovedAtMs', 'createdAtMs'],
  version: ['versionId', 'datasetId', 'root', 'objects', 'sizeBytes', 'unreadable', 'duplicateObjects', 'duplicateBytes', 'notes', 'committedAtMs'],
  pointer: ['datasetId', 'versionId', 'replicaId', 'rev'],
  replica: ['replicaId', 'datasetId', 'versionId', 'targetId', 'state', 'verifiedAtMs', 'verifiedLevel', 'activated', 'createdAtMs', 'endedAtMs'],
} as const;

export type DatasetRow = Columns<typeof dataset, typeof kept.dataset>;
export type VersionRow = Columns<typeof datasetVersion, typeof kept.version>;
export type PointerRow = Columns<typeof pointer, typeof kept.pointer>;
export type ReplicaRow = Columns<typeof replica, typeof kept.replica>;

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

/** How many rows of each table there are. */
interface Counts {
  readonly datasets: number;
  readonly versions: number;
  readonly pointers: number;
  readonly replicas: number;
}

/** Many rows come in such pages, or the process would stand still while they are unpacked. */
const rowsPerPage = 2_000;
const none: AllDatasets = { list: [], at: new Map() };
const noRows: Counts = { datasets: 0, versions: 0, pointers: 0, replicas: 0 };

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
  #counts = noRows;

  /**
   * @param tx of one consistent view (repeatable read): rows of different moments would not fit together
   * @param source which server and history this is; what was kept of another one is forgotten
   */
  async read(tx: Db, source: string): Promise<AllDatasets> {
    const since = source === this.#source ? this.#horizon : null;
    const look = await lookAt(tx, since);
    let reading = since === null ? undefined : await this.#readNew(tx, since, look);
    if (reading === undefined) {
      reading = new Reading(none, noRows);
      for (const { table, key, columns, take } of tables) await readPages(tx, table, key, columns, undefined, (page) => take(reading!, page));
    }
    this.#all = await reading.end();
    this.#counts = reading.counts;
    this.#source = source;
    this.#horizon = look.horizon;
    return this.#all;
  }

  /** What the copy reads later is not kept here. */
  copy(): KeptDatasets {
    const copy = new KeptDatasets();
    copy.#source = this.#source;
    copy.#horizon = this.#horizon;
    copy.#all = this.#all;
    copy.#counts = this.#counts;
    return copy;
  }

  /** Undefined where rows were deleted: they are in no reading of what was written. */
  async #readNew(tx: Db, since: string, look: Look): Promise<Reading | undefined> {
    const reading = new Reading(this.#all, this.#counts);
    for (const { table, key, columns, count, take } of tables) {
      if (look.fresh[count] === 0) continue;
      const isNew = sql`age(${table}.xmin) <= age(${since}::text::xid)`;
      if (look.fresh[count] > rowsPerPage) await readPages(tx, table, key, columns, isNew, (page) => take(reading, page));
      // In the order in which they lie: to find a few of them by name takes twice as long.
      else await take(reading, await rowsOf<never>(tx, sql`select ${selection(table, columns)} from ${table} where ${isNew}`));
    }
    const { counts } = reading;
    return Object.entries(look.total).every(([name, total]) => counts[name as keyof Counts] === total) ? reading : undefined;
  }
}

interface Look {
  readonly horizon: string;
  readonly total: Counts;
  /** Of them, those that were written since. */
  readonly fresh: Counts;
}

/** How many rows there are, and how many of them are new: each table is gone through once, which at a hundred thousand rows takes its 15 ms. */
async function lookAt(tx: Db, since: string | null): Promise<Look> {
  const horizon = sql`pg_snapshot_xmin(pg_current_snapshot())::xid::text as horizon`;
  if (since === null) {
    const [row] = await rowsOf<{ horizon: string }>(tx, sql`select ${horizon}`);
    return { horizon: row!.horizon, total: noRows, fresh: noRows };
  }
  const counted = (table: PgTable): SQL =>
    sql`(select jsonb_build_array(count(*), count(*) filter (where age(${table}.xmin) <= age(${since}::text::xid))) from ${table})`;
  const [row] = await rowsOf<{ horizon: string } & Record<keyof Counts, readonly [number, number]>>(
    tx,
    sql`select ${horizon}, ${counted(dataset)} as datasets, ${counted(datasetVersion)} as versions, ${counted(pointer)} as pointers, ${counted(replica)} as replicas`,
  );
  const { horizon: now, datasets, versions, pointers, replicas } = row!;
  const part = (at: 0 | 1): Counts => ({ datasets: datasets[at], versions: versions[at], pointers: pointers[at], replicas: replicas[at] });
  return { horizon: now, total: part(0), fresh: part(1) };
}

/** The tables in the order in which they are read: a row of another one belongs to a dataset that is known by then. */
const tables: readonly {
  readonly table: PgTable;
  readonly key: string;
  readonly columns: readonly string[];
  readonly count: keyof Counts;
  readonly take: (reading: Reading, page: readonly never[]) => Promise<void>;
}[] = [
  { table: dataset, key: 'datasetId', columns: kept.dataset, count: 'datasets', take: (reading, page) => reading.takeDatasets(page) },
  { table: datasetVersion, key: 'versionId', columns: kept.version, count: 'versions', take: (reading, page) => reading.takeVersions(page) },
  { table: pointer, key: 'datasetId', columns: kept.pointer, count: 'pointers', take: (reading, page) => reading.takePointers(page) },
  { table: replica, key: 'replicaId', columns: kept.replica, count: 'replicas', take: (reading, page) => reading.takeReplicas(page) },
];

/** Rows under their names. Not by Drizzle's `select`: its mapping of each value took as long as all the rest of a first look. */
function selection(table: PgTable, columns: readonly string[]): SQL {
  const of = getTableColumns(table) as Record<string, PgColumn>;
  return sql.join(
    columns.map((name) => sql`${of[name]!} as ${sql.identifier(name)}`),
    sql`, `,
  );
}

/** The next page is on its way while one is taken. */
async function readPages(
  tx: Db,
  table: PgTable,
  key: string,
  columns: readonly string[],
  which: SQL | undefined,
  take: (page: readonly never[]) => Promise<void>,
): Promise<void> {
  const column = (getTableColumns(table) as Record<string, PgColumn>)[key]!;
  const pageAfter = (last: unknown): Promise<Record<string, unknown>[]> => {
    const where = [...(which === undefined ? [] : [which]), ...(last === undefined ? [] : [sql`${column} > ${last}`])];
    return rowsOf<Record<string, unknown>>(
      tx,
      sql`select ${selection(table, columns)} from ${table} ${where.length === 0 ? sql`` : sql`where ${sql.join(where, sql` and `)}`} order by ${column} limit ${rowsPerPage}`,
    );
  };
  let coming: Promise<Record<string, unknown>[]> | undefined = pageAfter(undefined);
  while (coming !== undefined) {
    const rows: Record<string, unknown>[] = await coming;
    coming = rows.length < rowsPerPage ? undefined : pageAfter(rows.at(-1)![key]);
    // Whoever fails to take a page is heard before whoever fails to read the next.
    coming?.catch(() => {});
    await take(rows as never[]);
  }
}

type Writable<Row> = { -readonly [Field in keyof Row]: Row[Field] };
/** Most versions have none. */
const noNotes: string[] = [];

/** One reading while it goes on: the rows from before with those that were written since. */
class Reading {
  readonly #before: AllDatasets;
  readonly #changed = new Map<DatasetId, Writable<DatasetRows>>();
  /** Each text once: a place, a state or an owner is in thousands of rows, and every one of them would bring its own. */
  readonly #texts = new Map<unknown, unknown>();
  #counts: Writable<Counts>;

  constructor(before: AllDatasets, counts: Counts) {
    this.#before = before;
    this.#counts = { ...counts };
  }

  get counts(): Counts {
    return this.#counts;
  }

  takeDatasets(page: readonly Writable<DatasetRow>[]): Promise<void> {
    return eachInSlices(page, (row) => {
      const { heat } = row;
      row.owner = this.#once(row.owner);
      // See `keepHeats`; those of before were kept whole.
      const isIdle = heat !== null && (heat.windows.length === 0 || areNone(heat.windows));
      if (heat !== null) row.heat = Object.assign(heat, { reason: this.#once(heat.reason), windows: isIdle ? noAccesses : heat.windows });
      const known = this.#open(row.datasetId);
      if (known !== undefined) known.row = row;
      else {
        this.#changed.set(row.datasetId, { row, pointer: undefined, versions: [], replicas: [] });
        this.#counts.datasets++;
      }
    });
  }

  takeVersions(page: readonly Writable<VersionRow>[]): Promise<void> {
    return eachInSlices(page, (row) => {
      const of = this.#open(row.datasetId);
      if (of === undefined) return;
      const others = of.versions.filter(({ versionId }) => versionId !== row.versionId);
      this.#counts.versions += others.length + 1 - of.versions.length;
      row.datasetId = of.row.datasetId;
      row.notes = row.notes.length === 0 ? noNotes : row.notes;
      of.versions = [...others, row];
    });
  }

  takePointers(page: readonly Writable<PointerRow>[]): Promise<void> {
    return eachInSlices(page, (row) => {
      const of = this.#open(row.datasetId);
      if (of === undefined) return;
      if (of.pointer === undefined) this.#counts.pointers++;
      row.datasetId = of.row.datasetId;
      row.versionId = versionIdIn(of, row.versionId);
      of.pointer = row;
    });
  }

  takeReplicas(page: readonly Writable<ReplicaRow>[]): Promise<void> {
    return eachInSlices(page, (row) => {
      const of = this.#open(row.datasetId);
      if (of === undefined) return;
      row.datasetId = of.row.datasetId;
      row.versionId = row.versionId === null ? null : versionIdIn(of, row.versionId);
      row.targetId = this.#once(row.targetId);
      row.state = this.#once(row.state);
      row.verifiedLevel = this.#once(row.verifiedLevel);
      const others = of.replicas.filter(({ replicaId }) => replicaId !== row.replicaId);
      this.#counts.replicas += others.length + 1 - of.replicas.length;
      of.replicas = [...others, row];
    });
  }

  async end(): Promise<AllDatasets> {
    const before = this.#before;
    if (this.#changed.size === 0) return before;
    const list = [...before.list];
    await eachInSlices([...this.#changed], ([datasetId, rows]) => {
      if (rows.versions.length > 1)
        rows.versions = [...rows.versions].sort((a, b) => a.committedAtMs - b.committedAtMs || (a.versionId < b.versionId ? -1 : 1));
      if (rows.replicas.length > 1) rows.replicas = [...rows.replicas].sort((a, b) => (a.replicaId < b.replicaId ? -1 : 1));
      const at = before.at.get(datasetId);
      if (at !== undefined) list[at] = rows;
      else list.push(rows);
    });
    if (list.length === before.list.length) return { list, at: before.at };
    list.sort((a, b) => (a.row.datasetId < b.row.datasetId ? -1 : 1));
    const at = new Map<DatasetId, number>();
    await eachInSlices(list, ({ row }, place) => void at.set(row.datasetId, place));
    return { list, at };
  }

  /** The rows of a dataset, to be changed; undefined for one that is not there. */
  #open(datasetId: DatasetId): Writable<DatasetRows> | undefined {
    const known = this.#changed.get(datasetId);
    if (known !== undefined) return known;
    const at = this.#before.at.get(datasetId);
    if (at === undefined) return undefined;
    const copy = { ...this.#before.list[at]! };
    this.#changed.set(datasetId, copy);
    return copy;
  }

  #once<Text>(text: Text): Text {
    const known = this.#texts.get(text);
    if (known !== undefined) return known as Text;
    this.#texts.set(text, text);
    return text;
  }
}

/** The name as the version itself has it, for the same reason. */
function versionIdIn<Name extends VersionRow['versionId']>({ versions }: DatasetRows, versionId: Name): Name {
  return (versions.find((version) => version.versionId === versionId)?.versionId ?? versionId) as Name;
}
