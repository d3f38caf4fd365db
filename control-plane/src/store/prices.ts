import type { PriceEntry } from '@data-in-motion/shared/domain/price';
import { desc, eq } from 'drizzle-orm';
import type { Db, Store } from './database.ts';
import { firstPrices } from './first-prices.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { priceEntry } from './schema.ts';

/** Books of before retrieval and the least size of an object were told have neither. */
const addedLater = { retrievalPerGb: 0, minimumObjectBytes: 0 };

/** The newest price book; made with our first prices when there is none. */
export async function readPrices(db: Db): Promise<{ rev: number; entries: PriceEntry[] }> {
  const [newest] = await db.select({ rev: priceEntry.rev }).from(priceEntry).orderBy(desc(priceEntry.rev)).limit(1);
  if (newest === undefined) {
    await db
      .insert(priceEntry)
      .values(firstPrices.map((entry) => ({ ...entry, rev: 1 })))
      .onConflictDoNothing();
    return { rev: 1, entries: [...firstPrices] };
  }
  const rows = await db.select().from(priceEntry).where(eq(priceEntry.rev, newest.rev)).orderBy(priceEntry.priceClass, priceEntry.validFromMs);
  return { rev: newest.rev, entries: rows.map(({ rev: _, prices, ...entry }) => ({ ...entry, prices: { ...addedLater, ...prices } })) };
}

/** Write a whole new book as the next revision, the old ones stay. With `expectedRev` only on top of that revision; undefined when it is another by now. */
export async function writePrices(store: Store, expectedRev: number | null, entries: readonly PriceEntry[]): Promise<number | undefined> {
  return store.transaction(async (tx) => {
    // Two writers at once would otherwise mix their lines in one revision.
    await oneAtATime(tx, 'prices');
    const { rev } = await readPrices(tx);
    if (expectedRev !== null && rev !== expectedRev) return undefined;
    await tx.insert(priceEntry).values(entries.map((entry) => ({ ...entry, rev: rev + 1 })));
    return rev + 1;
  });
}
