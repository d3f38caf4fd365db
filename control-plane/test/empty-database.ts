import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrationsFolder, openStore } from '../src/store/database.ts';
import { scratchFolder } from './scratch.ts';

const cache = fileURLToPath(new URL('../../node_modules/.cache/dim-store', import.meta.url));

/** An embedded database takes seconds to make and a tenth to copy: one is made per set of migrations and kept beside the installed packages. */
async function template(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of readdirSync(migrationsFolder)
    .filter((file) => file.endsWith('.sql'))
    .sort())
    hash.update(readFileSync(join(migrationsFolder, name)));
  const path = join(cache, hash.digest('hex').slice(0, 16));
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'new-'));
  const store = await openStore({ databaseUrl: null, directory: fresh });
  await store.close();
  try {
    renameSync(fresh, path);
  } catch {
    // Another test process was faster.
    rmSync(fresh, { recursive: true, force: true });
  }
  return path;
}

/** Lay an empty embedded database, ready to open, into a directory that is made for it. It was never exported: nobody is to read a second copy of nothing. */
export async function layEmptyDatabase(directory: string): Promise<void> {
  const from = await template();
  for (const part of ['data', 'ready']) cpSync(join(from, part), join(directory, part), { recursive: true });
}

/** A directory with an empty embedded database; the caller removes it. */
export async function freshDirectory(): Promise<string> {
  const directory = mkdtempSync(join(scratchFolder, 'dim-store-'));
  await layEmptyDatabase(directory);
  return directory;
}
