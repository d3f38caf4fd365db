import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';

/** The embedded database never calls fsync, so what survives power loss is its last export: one file, flushed, then renamed over the one before. */
const exportName = 'export.tar';

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync();
  await handle.close();
}

/** Write all files of the database, as of one moment between two statements, to stable storage. */
export async function writeExport(client: PGlite, directory: string): Promise<void> {
  const tar = await client.dumpDataDir('none');
  const partial = join(directory, `${exportName}.partial`);
  const handle = await open(partial, 'w', 0o600);
  try {
    await handle.writeFile(tar.stream());
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, join(directory, exportName));
  await syncDirectory(directory);
}

/** The last export, undefined when none was made. */
export async function readExport(directory: string): Promise<Blob | undefined> {
  const path = join(directory, exportName);
  return existsSync(path) ? new Blob([await readFile(path)]) : undefined;
}

/** Keep the files that the export stands in for, whole or not, for inspection; only the newest of them, or they fill the disk. @returns where they are now */
export function setAside(path: string): string {
  const aside = `${path}.aside`;
  rmSync(aside, { recursive: true, force: true });
  if (existsSync(path)) renameSync(path, aside);
  mkdirSync(dirname(path), { recursive: true });
  return aside;
}
