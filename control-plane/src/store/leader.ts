import { Failure } from '@data-in-motion/shared/failure';
import { and, eq, lte, or, sql } from 'drizzle-orm';
import type { Db, Store, Tx } from './database.ts';
import { cpLeader } from './schema.ts';

/**
 * Become or stay the leader; the answer is the term, or null while another control plane is. Time only decides who tries:
 * what a deposed leader still wants to write fails on the term, see `checkLeader`.
 */
export async function holdLeadership(store: Store, holder: string, ttlMs: number): Promise<number | null> {
  return store.transaction(async (tx) => {
    const nowMs = await store.nowMs(tx);
    await tx.insert(cpLeader).values({ id: 1 }).onConflictDoNothing();
    const kept = await tx
      .update(cpLeader)
      .set({ expiresAtMs: nowMs + ttlMs })
      .where(and(eq(cpLeader.id, 1), eq(cpLeader.holder, holder)))
      .returning({ term: cpLeader.term });
    if (kept[0] !== undefined) return kept[0].term;
    const taken = await tx
      .update(cpLeader)
      .set({ term: sql`${cpLeader.term} + 1`, holder, expiresAtMs: nowMs + ttlMs })
      .where(and(eq(cpLeader.id, 1), or(eq(cpLeader.holder, ''), lte(cpLeader.expiresAtMs, nowMs))))
      .returning({ term: cpLeader.term });
    return taken[0]?.term ?? null;
  });
}

/** Give the term back, so that another control plane need not wait for it to expire. */
export async function leaveLeadership(db: Db, holder: string): Promise<void> {
  await db
    .update(cpLeader)
    .set({ holder: '', expiresAtMs: 0 })
    .where(and(eq(cpLeader.id, 1), eq(cpLeader.holder, holder)));
}

/** First statement of every transaction of the leader: holds the row until the commit, so nobody takes over in between. Throws `leader.deposed` (refused). */
export async function checkLeader(tx: Tx, term: number): Promise<void> {
  const rows = await tx
    .select({ term: cpLeader.term })
    .from(cpLeader)
    .where(and(eq(cpLeader.id, 1), eq(cpLeader.term, term)))
    .for('share');
  if (rows.length === 0) throw new Failure('refused', { code: 'leader.deposed', message: `another control plane leads since term ${term}` });
}

/**
 * Since when the store is distrusted, null when it is not: an epoch that the leaders did not know means that commits may be lost,
 * switches among them, and agents tell what they have before anything is let go. The first epoch of a new store is trusted.
 */
export async function distrustedSinceMs(tx: Tx, storeEpoch: string, nowMs: number): Promise<number | null> {
  const [row] = await tx.select().from(cpLeader).where(eq(cpLeader.id, 1));
  if (row === undefined || row.knownEpoch === storeEpoch) return row?.distrustedSinceMs ?? null;
  const since = row.knownEpoch === '' ? null : nowMs;
  await tx.update(cpLeader).set({ knownEpoch: storeEpoch, distrustedSinceMs: since }).where(eq(cpLeader.id, 1));
  return since;
}
