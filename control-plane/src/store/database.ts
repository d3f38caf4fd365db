import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Failure } from '@data-in-motion/shared/failure';
import type { SQL } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT, PgTable } from 'drizzle-orm/pg-core';
import { openPglite } from './open-pglite.ts';
import { openPostgres } from './open-postgres.ts';
import type * as schema from './schema.ts';

/** What both drivers can do; `execute` answers in different shapes on the two, so ask by `rowsOf`. */
export type Db = PgDatabase<PgQueryResultHKT, typeof schema>;

/** One transaction, Read Committed. In it use only this, never `store.db`: the embedded database has one connection and would wait for itself. */
export interface Tx extends Db {
  /** COPY rows into a table; keys are the Drizzle property names, the first row says which columns are given. */
  copyRows(table: PgTable, rows: readonly Record<string, unknown>[]): Promise<void>;
  /** Wake those who follow the events once this is committed. */
  announceEvents(): Promise<void>;
  /** Run after the commit; not at all when the transaction is rolled back. */
  afterCommit(work: () => void): void;
}

export interface Store {
  readonly kind: 'pglite' | 'postgres';
  readonly db: Db;
  /** Changes when commits may have been lost: restored from an export, another server, another timeline. */
  readonly storeEpoch: string;
  /** `commit`: what is committed survives power loss. `export`: only what the last export holds does; see `durable`. */
  readonly durability: 'commit' | 'export';
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The database's clock, milliseconds; in a transaction still the moment of the call. */
  nowMs(tx?: Db): Promise<number>;
  /**
   * `events` after a commit that appended events, here or (on Postgres) in another process; `missed` now and then, since such a call may have been lost; `durable` when `agent_stream.durable_upto` grew by an export;
   * `exported` after each export that was due, with what went wrong, null when it is written; `epoch` when `storeEpoch` changed while open.
   */
  readonly signals: EventEmitter<StoreSignals>;
  /** Write what is committed to stable storage now; nothing to do where commits are durable. */
  makeDurable(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreSignals {
  events: [];
  missed: [];
  durable: [];
  exported: [failure: Failure | null];
  epoch: [];
}

export const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

export interface StoreSettings {
  /** Null: the embedded database in `directory`. */
  readonly databaseUrl: string | null;
  readonly directory: string;
}

/**
 * Open the store and bring it to the newest migration. Throws `store.in-use` (refused) when another process has the directory,
 * `store.newer` (refused) when the database was written by a newer release, and `unavailable` failures when the server can not be reached.
 */
export async function openStore(settings: StoreSettings): Promise<Store> {
  return settings.databaseUrl === null ? openPglite(settings.directory) : openPostgres(settings.databaseUrl);
}

/** The rows of a raw query. Whole numbers arrive as numbers on both drivers; cast `numeric` sums to bigint or float8 in the query. */
export async function rowsOf<Row extends object>(db: Db, query: SQL): Promise<Row[]> {
  const answer = (await db.execute(query)) as Row[] | { rows: Row[] };
  return Array.isArray(answer) ? answer : answer.rows;
}
