import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { sql } from 'drizzle-orm';
import { areNone } from '../fleet/no-accesses.ts';
import type { Tx } from './database.ts';
import { dataset } from './schema.ts';

/**
 * Keep what was decided about heat, all in one statement: of a hundred thousand datasets one by one it took half a minute. Windows without any access, which most
 * datasets have, are kept as no windows: half of what a first look at a large fleet had to read.
 */
export async function keepHeats(tx: Tx, heats: ReadonlyMap<DatasetId, Heat>): Promise<void> {
  const given = JSON.stringify([...heats].map(([datasetId, heat]) => ({ datasetId, heat: areNone(heat.windows) ? { ...heat, windows: [] } : heat })));
  await tx.execute(
    sql`update ${dataset} set heat = given.heat from jsonb_to_recordset(${given}::text::jsonb) as given("datasetId" text, heat jsonb) where dataset_id = given."datasetId"`,
  );
}
