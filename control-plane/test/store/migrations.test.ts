import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { expect, it } from 'vitest';
import { migrationsFolder } from '../../src/store/database.ts';
import * as schema from '../../src/store/schema.ts';

/** The tool's programming interface is built for require. */
interface DrizzleKit {
  generateDrizzleJson(imports: Record<string, unknown>, prevId?: string): unknown;
  generateMigration(prev: unknown, cur: unknown): Promise<string[]>;
}
const kit = createRequire(import.meta.url)('drizzle-kit/api') as DrizzleKit;

it('the migrations lead exactly to the tables of the schema', async () => {
  const snapshots = readdirSync(join(migrationsFolder, 'meta'))
    .filter((name) => name.endsWith('_snapshot.json'))
    .sort();
  const last = JSON.parse(readFileSync(join(migrationsFolder, 'meta', snapshots.at(-1)!), 'utf8')) as { id: string };
  expect(await kit.generateMigration(last, kit.generateDrizzleJson(schema, last.id))).toEqual([]);
});

it('plans that are there already are counted for the list', async () => {
  const files = readdirSync(migrationsFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const counts = files.findIndex((name) => name.includes('plan_summaries'));
  const read = (name: string): string => readFileSync(join(migrationsFolder, name), 'utf8');
  const database = new PGlite();
  await database.exec(files.slice(0, counts).map(read).join('\n'));
  const move = (action: string, sizeBytes: number, jobId: string | null) => ({ action, sizeBytes, jobId });
  const says = { solver: 'prices', solvedInMs: 7, costBeforePerMonth: 3.5, costAfterPerMonth: 2, migrationOnce: 0.25 };
  const bodies = {
    '01A': { ...says, moves: [move('copy', 10, 'job-1'), move('retire', 100, null), move('move', 5, null)] },
    '01B': { ...says, datasetIds: ['maps'], moves: [] },
  };
  for (const [planId, body] of Object.entries(bodies))
    await database.query("insert into plan (plan_id, made_at_ms, state, body) values ($1, 1, 'superseded', $2)", [planId, body]);
  await database.exec(read(files[counts]!));
  const { rows } = await database.query<{ summary: unknown }>('select summary from plan order by plan_id');
  expect(rows.map(({ summary }) => summary)).toEqual([
    { ...says, datasets: null, moves: 3, jobs: 1, bytes: 15 },
    { ...says, datasets: 1, moves: 0, jobs: 0, bytes: 0 },
  ]);
  await database.close();
});
