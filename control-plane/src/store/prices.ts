import type { PriceEntry } from '@data-in-motion/shared/domain/price';
import { desc, eq } from 'drizzle-orm';
import type { Db, Store } from './database.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { priceEntry } from './schema.ts';

/**
 * Prices to begin with. The on-premises figures are ours, for a made-up shelf written off over five years; the cloud ones follow the
 * order of magnitude of the public list prices of 2025 and are there to be edited.
 */
const firstPrices: readonly Omit<PriceEntry, 'validFromMs'>[] = [
  {
    priceClass: 'onprem-nvme',
    source: 'example: own flash shelf',
    prices: { storagePerGbMonth: 0.045, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0, minimumDays: 0 },
  },
  {
    priceClass: 'onprem-hdd',
    source: 'example: own disk shelf',
    prices: { storagePerGbMonth: 0.011, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0, minimumDays: 0 },
  },
  {
    priceClass: 'onprem-archive',
    source: 'example: own shelf of large, slow disks',
    prices: { storagePerGbMonth: 0.006, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0, minimumDays: 0 },
  },
  {
    priceClass: 'private-ssd',
    source: 'example: hosted private cloud',
    prices: { storagePerGbMonth: 0.06, readsPer1000: 0.0002, writesPer1000: 0.0008, egressPerGb: 0.01, minimumDays: 0 },
  },
  {
    priceClass: 'private-hdd',
    source: 'example: hosted private cloud',
    prices: { storagePerGbMonth: 0.016, readsPer1000: 0.0002, writesPer1000: 0.0008, egressPerGb: 0.01, minimumDays: 0 },
  },
  {
    priceClass: 'cloud-block',
    source: 'in the range of public list prices, 2025',
    prices: { storagePerGbMonth: 0.08, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0.09, minimumDays: 0 },
  },
  {
    priceClass: 'cloud-standard',
    source: 'in the range of public list prices, 2025',
    prices: { storagePerGbMonth: 0.023, readsPer1000: 0.0004, writesPer1000: 0.005, egressPerGb: 0.09, minimumDays: 0 },
  },
  {
    priceClass: 'cloud-infrequent',
    source: 'in the range of public list prices, 2025',
    prices: { storagePerGbMonth: 0.0125, readsPer1000: 0.001, writesPer1000: 0.01, egressPerGb: 0.1, minimumDays: 30 },
  },
  {
    priceClass: 'cloud-archive',
    source: 'in the range of public list prices, 2025',
    prices: { storagePerGbMonth: 0.004, readsPer1000: 0.01, writesPer1000: 0.02, egressPerGb: 0.11, minimumDays: 90 },
  },
];

/** The newest price book; made with our first prices when there is none. */
export async function readPrices(db: Db): Promise<{ rev: number; entries: PriceEntry[] }> {
  const [newest] = await db.select({ rev: priceEntry.rev }).from(priceEntry).orderBy(desc(priceEntry.rev)).limit(1);
  if (newest === undefined) {
    await db
      .insert(priceEntry)
      .values(firstPrices.map((entry) => ({ ...entry, rev: 1, validFromMs: 0 })))
      .onConflictDoNothing();
    return { rev: 1, entries: firstPrices.map((entry) => ({ ...entry, validFromMs: 0 })) };
  }
  const rows = await db.select().from(priceEntry).where(eq(priceEntry.rev, newest.rev));
  return { rev: newest.rev, entries: rows.map(({ rev: _, ...entry }) => entry) };
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
