import { rmSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { onTestFinished, TestRunner } from 'vitest';
import { openStore, type Store } from '../src/store/database.ts';
import { storeMeta } from '../src/store/schema.ts';
import { clientOf } from '../src/store/transactions.ts';
import { freshDirectory } from './empty-database.ts';
import { hasPostgres, type PostgresServer, startPostgres } from './servers.ts';

export interface TestStores {
  /** An open, empty, migrated store: of the test that runs, and closed when that ends; when none runs (`beforeAll`), of all that follow until `stop`. */
  open(): Promise<Store>;
  /** Close every store that is open still, and remove what they left. */
  stop(): Promise<void>;
}

/** Ends each of what it is given once, with the running test or with `endAll`. What stays open goes on looking at its server and exporting itself. */
class Endings {
  readonly #open = new Set<() => Promise<void>>();

  add(end: () => Promise<void>): void {
    this.#open.add(end);
    if (TestRunner.getCurrentTest() !== undefined) onTestFinished(() => this.#end(end));
  }

  async endAll(): Promise<void> {
    for (const end of this.#open) await this.#end(end);
  }

  async #end(end: () => Promise<void>): Promise<void> {
    if (this.#open.delete(end)) await end();
  }
}

function pgliteStores(): TestStores {
  const endings = new Endings();
  return {
    async open() {
      const directory = await freshDirectory();
      const store = await openStore({ databaseUrl: null, directory });
      endings.add(async () => {
        // Not by `store.close`, which writes all of it to a file first that nobody reads.
        await clientOf<PGlite>(store.db).close();
        rmSync(directory, { recursive: true, force: true });
      });
      return store;
    },
    stop: () => endings.endAll(),
  };
}

/** A server whose databases are copies of one that is migrated already. */
async function startMigrated(): Promise<PostgresServer & { newStore(): Promise<Store> }> {
  const server = await startPostgres();
  const template = await openStore({ databaseUrl: server.url, directory: '' });
  // Each copy is a store of its own.
  await template.db.delete(storeMeta);
  await template.close();
  return { ...server, newStore: async () => openStore({ databaseUrl: await server.newDatabase(server.url), directory: '' }) };
}

function postgresStores(): TestStores {
  let server: ReturnType<typeof startMigrated> | undefined;
  const endings = new Endings();
  return {
    async open() {
      server ??= startMigrated();
      const store = await (await server).newStore();
      endings.add(() => store.close());
      return store;
    },
    async stop() {
      await endings.endAll();
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
