import type { ShadowPrice } from '../fleet/snapshot.ts';
import type { Db, Tx } from './database.ts';
import { shadowPrice } from './schema.ts';

/** What the current plan says is scarce, sorted: the same rows give the same snapshot. */
export async function readShadowPrices(db: Db): Promise<ShadowPrice[]> {
  return db.select().from(shadowPrice).orderBy(shadowPrice.targetId, shadowPrice.resource);
}

/** In place of those of the plan before. */
export async function keepShadowPrices(tx: Tx, prices: readonly ShadowPrice[]): Promise<void> {
  await tx.delete(shadowPrice);
  if (prices.length > 0) await tx.insert(shadowPrice).values([...prices]);
}
