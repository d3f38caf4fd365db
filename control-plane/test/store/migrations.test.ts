import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
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
