import type { FirstLooks } from '@data-in-motion/shared/domain/feature-distribution';
import type { ModelVersion } from '@data-in-motion/shared/domain/ids';
import { desc, eq, type SQL, sql } from 'drizzle-orm';
import { type Db, rowsOf, type Tx } from './database.ts';
import { driftLook, failureModel } from './schema.ts';

export type DriftLookRow = typeof driftLook.$inferSelect;

/** Keep what a look saw; a later one of the same day stands in its place. */
export async function storeDriftLook(tx: Tx, look: DriftLookRow): Promise<void> {
  const { day: _, ...set } = look;
  await tx.insert(driftLook).values(look).onConflictDoUpdate({ target: driftLook.day, set });
}

/** How the fleet was in the first weeks in which a model was active; null before, and when it is not known. */
export async function readFirstLooks(db: Db, version: ModelVersion): Promise<FirstLooks | null> {
  const [row] = await db.select({ firstLooks: failureModel.firstLooks }).from(failureModel).where(eq(failureModel.version, version));
  return row?.firstLooks ?? null;
}

export async function storeFirstLooks(tx: Tx, version: ModelVersion, firstLooks: FirstLooks): Promise<void> {
  await tx.update(failureModel).set({ firstLooks }).where(eq(failureModel.version, version));
}

/** Undefined before the first. */
export async function newestDriftLook(db: Db): Promise<DriftLookRow | undefined> {
  const [row] = await db.select().from(driftLook).orderBy(desc(driftLook.day)).limit(1);
  return row;
}

export interface PastDrift {
  readonly day: number;
  readonly drives: number;
  readonly version: ModelVersion | null;
  /** Beside the first weeks of the model; the strongest shift of that look is null where too few drives were compared. */
  readonly strongest: number | null;
  readonly drifted: readonly string[];
  /** Beside the drives that it was trained on. */
  readonly strongestUnlike: number | null;
  readonly unlike: readonly string[];
}

/** What each look that is kept found drifted, oldest first; without the distributions. */
export async function pastDrift(db: Db): Promise<PastDrift[]> {
  return rowsOf(
    db,
    sql`select l.day, l.drives, l.version, (l.features->0->>'index')::float8 as strongest, ${shifted(sql`l.features`)} as drifted,
          (l.beside_training->0->>'index')::float8 as "strongestUnlike", ${shifted(sql`coalesce(l.beside_training, '[]')`)} as unlike
        from drift_look l order by l.day`,
  );
}

function shifted(features: SQL): SQL {
  return sql`array(select f->>'feature' from jsonb_array_elements(${features}) f where (f->>'index')::float8 > (f->>'bound')::float8)`;
}
