import { createHash, randomUUID } from 'node:crypto';
import { Failure } from '@data-in-motion/shared/failure';
import { eq, sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { type Db, migrationsFolder, rowsOf } from './database.ts';
import { cpLeader, storeMeta } from './schema.ts';

/** Random and never used again; agents only compare it. */
function newEpoch(): string {
  return randomUUID();
}

/**
 * Apply the migrations that are missing, each whole or not at all, by drizzle's own table so that its tools agree.
 * Call it in one transaction, under a lock when several processes may open the database at once.
 */
export async function migrateStore(tx: Db): Promise<void> {
  const known = readMigrationFiles({ migrationsFolder });
  await tx.execute(sql`create schema if not exists drizzle`);
  await tx.execute(sql`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`);
  const applied = await rowsOf<{ created_at: number }>(tx, sql`select created_at from drizzle.__drizzle_migrations order by created_at desc limit 1`);
  const lastMs = Number(applied[0]?.created_at ?? 0);
  if (lastMs > (known.at(-1)?.folderMillis ?? 0)) {
    throw new Failure('refused', {
      code: 'store.newer',
      message: 'the database was written by a newer release',
      hint: 'Start the newer release, or restore a backup made before it.',
    });
  }
  for (const migration of known) {
    if (migration.folderMillis <= lastMs) continue;
    for (const statement of migration.sql) await tx.execute(sql.raw(statement));
    await tx.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${migration.hash}, ${migration.folderMillis})`);
  }
}

/**
 * The epoch of this database. A new one is made when there is none, when `fingerprint` is not the one seen last, or when `restored`.
 * After a move to another server the transaction numbers start anew, so what was written before counts as older than everything.
 */
export async function settleEpoch(tx: Db, fingerprint: string, restored: boolean): Promise<string> {
  await tx.insert(storeMeta).values({ storeEpoch: newEpoch(), fingerprint }).onConflictDoNothing();
  const [row] = await tx.select().from(storeMeta).for('update');
  if (row === undefined) throw new Failure('defect', { code: 'store.no-meta', message: 'the row of the store is missing' });
  if (row.fingerprint === fingerprint && !restored) return row.storeEpoch;
  const storeEpoch = newEpoch();
  await tx.update(storeMeta).set({ storeEpoch, fingerprint });
  // A leader that never came to note the epoch before must not take this one for the first.
  await tx
    .insert(cpLeader)
    .values({ knownEpoch: row.storeEpoch })
    .onConflictDoUpdate({ target: cpLeader.id, set: { knownEpoch: row.storeEpoch }, setWhere: eq(cpLeader.knownEpoch, '') });
  await tx.execute(sql`update event set tx_id = 0 where tx_id <> 0`);
  if (restored) await tx.execute(sql`update agent_stream set durable_upto = watermark`);
  return storeEpoch;
}

/** A short name for any text, to compare by. */
export function fingerprintOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}
