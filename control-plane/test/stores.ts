import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrationsFolder, openStore, type Store } from '../src/store/database.ts';
import { hasPostgres, type PostgresServer, startPostgres } from './servers.ts';

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

/** Lay an empty embedded database, ready to open, into a directory that is made for it. */
export async function layEmptyDatabase(directory: string): Promise<void> {
  cpSync(await template(), directory, { recursive: true });
}

/** A directory with an empty embedded database; the caller removes it. */
export async function freshDirectory(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'dim-store-'));
  await layEmptyDatabase(directory);
  return directory;
}

export interface TestStores {
  /** An open, empty, migrated store. */
  open(): Promise<Store>;
  /** Close every store that was opened, and remove what they left. */
  stop(): Promise<void>;
}

function pgliteStores(): TestStores {
  const opened: { store: Store; directory: string }[] = [];
  return {
    async open() {
      const directory = await freshDirectory();
      const store = await openStore({ databaseUrl: null, directory });
      opened.push({ store, directory });
      return store;
    },
    async stop() {
      for (const { store, directory } of opened.splice(0)) {
        await store.close();
        rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}

function postgresStores(): TestStores {
  let server: Promise<PostgresServer> | undefined;
  const opened: Store[] = [];
  return {
    async open() {
      server ??= startPostgres();
      const store = await openStore({ databaseUrl: await (await server).newDatabase(), directory: '' });
      opened.push(store);
      return store;
    },
    async stop() {
      for (const store of opened.splice(0)) await store.close();
      await (await server)?.stop();
      server = undefined;
    },
  };
}

/** Both drivers, for `describe.each`; PostgreSQL only where it is installed. */
export const storeKinds: readonly { readonly kind: 'pglite' | 'postgres'; readonly stores: () => TestStores }[] = [
  { kind: 'pglite', stores: pgliteStores },
  ...(hasPostgres ? [{ kind: 'postgres' as const, stores: postgresStores }] : []),
];
