import { EventEmitter } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';
import { PGlite, type QueryOptions } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/pglite';
import { advanceDurable, streamWatermarks } from './batches.ts';
import { type Db, rowsOf, type Store, type StoreSignals, type Tx } from './database.ts';
import { asStoreFailure } from './database-failure.ts';
import { readExport, setAside, writeExport } from './export.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import * as schema from './schema.ts';
import { fingerprintOf, migrateStore, settleEpoch } from './store-meta.ts';
import { clientOf, runTransaction } from './transactions.ts';

const exportEveryMs = 60_000;
/** A single host's fleet is small: 32 MiB of buffers halve the start and the memory; the log is kept short because every export carries it. */
const settings = ['shared_buffers=32MB', 'min_wal_size=32MB', 'max_wal_size=64MB', 'autovacuum=off'];

interface Opened {
  readonly client: PGlite;
  readonly restored: boolean;
}

async function openFiles(directory: string, loadDataDir?: Blob): Promise<PGlite> {
  return PGlite.create({ dataDir: join(directory, 'data'), postgresqlconf: settings, ...(loadDataDir === undefined ? {} : { loadDataDir }) });
}

/**
 * Drizzle gives the same nine parsers with each query, and the driver copies its own beside them each time, one for every table and type there is:
 * more work than most queries. They become its own once.
 */
function parseOnce(client: PGlite): PGlite {
  let own: QueryOptions['parsers'];
  const alike =
    (query: PGlite['query']): PGlite['query'] =>
    (text, params, { parsers, ...options } = {}) => {
      if (own === undefined && parsers !== undefined) own = Object.assign(client.parsers, parsers);
      return query(text, params, options);
    };
  const transaction = client.transaction.bind(client);
  client.query = alike(client.query.bind(client));
  client.transaction = (work) => transaction((tx) => work(Object.assign(tx, { query: alike(tx.query) })));
  return client;
}

/**
 * Open the database's files; when they do not open, the last export, and when there never was a finished start, afresh. Once the machine was started anew
 * the export stands in, where there is one, also for files that open: some of what was written to them may be missing, and nothing in them would show it.
 * After a clean end it holds everything.
 */
async function openOrRestore(directory: string, lock: DirectoryLock): Promise<Opened> {
  const data = join(directory, 'data');
  const exported = await readExport(directory);
  const ready = join(directory, 'ready');
  if (!existsSync(ready)) rmSync(data, { recursive: true, force: true });
  else if (exported !== undefined) {
    const readyIn = readFileSync(ready, 'utf8');
    const isCleanEnd = !lock.machineEnded && existsSync(data) && readyIn !== '' && readyIn !== lock.bootId;
    if (isCleanEnd) {
      const aside = setAside(data);
      const client = await openFiles(directory, exported);
      rmSync(aside, { recursive: true });
      return { client, restored: false };
    }
    if (lock.machineEnded) setAside(data);
  }
  try {
    const isLost = exported !== undefined && !existsSync(data);
    return { client: await openFiles(directory, isLost ? exported : undefined), restored: isLost };
  } catch (thrown) {
    if (exported === undefined) {
      throw new Failure('corrupt', {
        code: 'store.unreadable',
        message: `the database in ${data} does not open`,
        hint: 'Move the directory away to start anew; agents send again what they still have.',
        cause: thrown,
      });
    }
    setAside(data);
    return { client: await openFiles(directory, exported), restored: true };
  }
}

/** What differs in the embedded database: COPY reads from a blob, and followers are all in this process. */
function edgeOf(signals: EventEmitter<StoreSignals>) {
  return (tx: Db, afterwards: (() => void)[]) => ({
    async copy({ into, bytes }: { into: string; bytes: Buffer }) {
      await clientOf<PGlite>(tx).query(`${into} from '/dev/blob' with (format binary)`, [], { blob: new Blob([bytes as Uint8Array<ArrayBuffer>]) });
    },
    async announceEvents() {
      if (!afterwards.includes(emitEvents)) afterwards.push(emitEvents);
    },
  });
  function emitEvents(): void {
    signals.emit('events');
  }
}

/** Exports in turn, never two at once, and none when nothing was written since the last. */
function exporter(client: PGlite, db: Db, directory: string, signals: EventEmitter<StoreSignals>): () => Promise<void> {
  let exportedAt = '';
  let running = Promise.resolve();
  const once = async (): Promise<void> => {
    // Both read before the export begins: what is stored by now is in it, and what is stored while it is written is for the next.
    const [position] = await rowsOf<{ lsn: string }>(db, sql`select pg_current_wal_insert_lsn()::text as lsn`);
    if (position!.lsn === exportedAt) return;
    const stored = await streamWatermarks(db);
    await writeExport(client, directory);
    const grew = await advanceDurable(db, stored);
    exportedAt = position!.lsn;
    if (grew) signals.emit('durable');
  };
  return () => {
    running = running.then(once, once);
    return running;
  };
}

/**
 * Open the embedded database in `directory`, which this process alone may use. It survives the end of the process at any moment;
 * after power loss the last export that worked (one is made every minute, and at a clean close) stands in for it under a new epoch.
 */
export async function openPglite(directory: string): Promise<Store> {
  const lock = lockDirectory(directory);
  let opened: PGlite | undefined;
  try {
    const { client, restored } = await openOrRestore(directory, lock);
    opened = client;
    const db = drizzle(parseOnce(client), { schema }) as unknown as Db;
    const signals = new EventEmitter<StoreSignals>();
    signals.setMaxListeners(0);
    const transaction = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => runTransaction(db, edgeOf(signals), work);
    const storeEpoch = await transaction(async (tx) => {
      await migrateStore(tx);
      const [system] = await rowsOf<{ id: string }>(tx, sql`select system_identifier::text as id from pg_control_system()`);
      return settleEpoch(tx, fingerprintOf(system!.id), restored || lock.machineEnded);
    });
    // In this order: a start that ends in between opens the export anew, under another epoch.
    writeFileSync(join(directory, 'ready'), lock.bootId);
    if (lock.machineEnded) lock.settle();
    const makeDurable = exporter(client, db, directory, signals);
    const tell = (failure: Failure | null): void => void signals.emit('exported', failure);
    const timer = setInterval(
      () =>
        void makeDurable().then(
          () => tell(null),
          (thrown: unknown) => tell(asStoreFailure(thrown)),
        ),
      exportEveryMs,
    );
    timer.unref();
    return {
      kind: 'pglite',
      durability: 'export',
      db,
      signals,
      storeEpoch,
      transaction,
      nowMs: async () => Date.now(),
      makeDurable,
      async close() {
        clearInterval(timer);
        try {
          await makeDurable();
        } catch (thrown) {
          // The lock stays: it says that the export may lack something.
          await client.close();
          throw thrown;
        }
        await client.close();
        lock.release();
      },
    };
  } catch (thrown) {
    await opened?.close().catch(() => {});
    lock.release();
    throw asStoreFailure(thrown);
  }
}
