import { desc, sql } from 'drizzle-orm';
import { type Db, rowsOf, type Tx } from './database.ts';
import { driftLook } from './schema.ts';

export type DriftLookRow = typeof driftLook.$inferSelect;

/** Keep what a look saw; a later one of the same day stands in its place. */
export async function storeDriftLook(tx: Tx, look: DriftLookRow): Promise<void> {
  const { atMs, drives, features } = look;
  await tx.insert(driftLook).values(look).onConflictDoUpdate({ target: driftLook.day, set: { atMs, drives, features } });
}

/** Undefined before the first. */
export async function newestDriftLook(db: Db): Promise<DriftLookRow | undefined> {
  const [row] = await db.select().from(driftLook).orderBy(desc(driftLook.day)).limit(1);
  return row;
}

export interface PastDrift {
  readonly day: number;
  readonly drives: number;
  /** The strongest shift of that look; null where too few drives were compared. */
  readonly strongest: number | null;
  readonly drifted: readonly string[];
}

/** What each look that is kept found drifted, oldest first; without the distributions. */
export async function pastDrift(db: Db): Promise<PastDrift[]> {
  return rowsOf(
    db,
    sql`select l.day, l.drives, (l.features->0->>'index')::float8 as strongest,
          array(select f->>'feature' from jsonb_array_elements(l.features) f where (f->>'index')::float8 > (f->>'bound')::float8) as drifted
        from drift_look l order by l.day`,
  );
}
