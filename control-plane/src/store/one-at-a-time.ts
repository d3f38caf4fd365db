import { sql } from 'drizzle-orm';
import type { Db } from './database.ts';

/** Any numbers that nobody else takes. */
const numbers = { migrations: 7_246_001, experiments: 7_305_001, keys: 7_305_002, prices: 7_305_003, models: 7_305_004, plans: 7_305_005 } as const;

/** Until this transaction ends, no other does the same: for what is decided by looking at several rows, or at rows that are not there yet. */
export async function oneAtATime(tx: Db, what: keyof typeof numbers): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${numbers[what]})`);
}
