import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { type CopyData, encodeCopy } from './copy-binary.ts';
import type { Db, Tx } from './database.ts';
import { asStoreFailure } from './database-failure.ts';

/** What differs between the drivers inside one transaction. */
export interface TransactionEdge {
  copy(data: CopyData): Promise<void>;
  announceEvents(): Promise<void>;
}

/** Rows per COPY: the embedded database holds up the whole process for as long as one statement runs. */
const rowsPerCopy = 1_000;

/** Drizzle's transaction with what it lacks; the driver's own client is where Drizzle keeps it, untyped. */
function withCopy(tx: Db, edge: TransactionEdge, afterwards: (() => void)[]): Tx {
  return Object.assign(tx, {
    async copyRows(table: PgTable, rows: readonly Record<string, unknown>[]) {
      for (let from = 0; from < rows.length; from += rowsPerCopy) await edge.copy(encodeCopy(table, getTableName(table), rows.slice(from, from + rowsPerCopy)));
    },
    announceEvents: () => edge.announceEvents(),
    afterCommit(work: () => void) {
      afterwards.push(work);
    },
  });
}

/** The client of the driver that a Drizzle transaction runs on. */
export function clientOf<Client>(tx: Db): Client {
  return (tx as unknown as { session: { client: Client } }).session.client;
}

/** Run `work` in a transaction of `db`; what the database refuses comes out as a Failure, and after the commit the promised work is done. */
export async function runTransaction<T>(db: Db, edge: (tx: Db, afterwards: (() => void)[]) => TransactionEdge, work: (tx: Tx) => Promise<T>): Promise<T> {
  let afterwards: (() => void)[] = [];
  try {
    const result = await db.transaction(async (tx) => {
      afterwards = [];
      return await work(withCopy(tx as unknown as Db, edge(tx as unknown as Db, afterwards), afterwards));
    });
    for (const then of afterwards) then();
    return result;
  } catch (thrown) {
    throw asStoreFailure(thrown);
  }
}
