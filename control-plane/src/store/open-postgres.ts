import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import { systemRandom } from '@data-in-motion/shared/random';
import { backoffMs } from '@data-in-motion/shared/retry';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, { type TransactionSql } from 'postgres';
import { type Db, rowsOf, type Store, type StoreSignals, type Tx } from './database.ts';
import { asStoreFailure } from './database-failure.ts';
import { oneAtATime } from './one-at-a-time.ts';
import * as schema from './schema.ts';
import { fingerprintOf, migrateStore, settleEpoch } from './store-meta.ts';
import { clientOf, runTransaction } from './transactions.ts';

const channel = 'dim_event';
/** Between two attempts to connect to a server that is away. */
const reconnect = { firstDelayMs: 50, longestDelayMs: 1_000 };
/** Followers look this often even when nobody calls them. */
const missedLookMs = 1_000;
const epochCheckMs = 5_000;

interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
}

/**
 * Connections of our own: the driver leaves Nagle's algorithm on, and then every COPY waits some 45 ms for a delayed acknowledgement.
 * With several hosts in the URL each attempt takes the next one.
 */
function noDelaySockets(): (address: Address) => Promise<Socket> {
  let attempt = 0;
  return ({ host, port, path }) => {
    const at = attempt++ % port.length;
    return new Promise((resolve, reject) => {
      const socket = typeof path === 'string' ? connect(path) : connect(port[at]!, host[at]!);
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        // The driver reads the name for TLS from here.
        resolve(Object.assign(socket, { host: host[at] }));
      });
    });
  };
}

/** Which server and which of its histories: changes with a failover or a restore. Empty where this user may not ask. */
async function serverFingerprint(db: Db): Promise<string> {
  try {
    const [row] = await rowsOf<{ system: string; timeline: number }>(
      db,
      sql`select s.system_identifier::text as system, c.timeline_id as timeline from pg_control_system() s, pg_control_checkpoint() c`,
    );
    return fingerprintOf(row?.system ?? '', String(row?.timeline ?? ''));
  } catch (thrown) {
    if (asStoreFailure(thrown).code === 'database.42501') return 'not-permitted';
    throw thrown;
  }
}

/** What the driver's query has and its types do not say: settled once with the stream, and again when the server is done. */
interface SettledTwice {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** COPY in. The driver's stream never ends when the server refuses a row, so the outcome is taken from the query itself. */
async function copyIn(client: TransactionSql, text: string, bytes: Buffer): Promise<void> {
  const query = client.unsafe(text);
  const settle = query as unknown as SettledTwice;
  const done = new Promise<void>((resolve, reject) => {
    const { resolve: open, reject: fail } = settle;
    let isOpen = false;
    settle.resolve = (value) => {
      if (isOpen) resolve();
      isOpen = true;
      open(value);
    };
    settle.reject = (error) => {
      reject(error);
      fail(error);
    };
  });
  done.catch(() => {});
  const stream = await query.writable();
  // The same error comes out of `done`.
  stream.on('error', () => {});
  stream.end(bytes);
  await done;
}

/** Open a PostgreSQL server (15 or newer) that several control planes may share. */
export async function openPostgres(databaseUrl: string): Promise<Store> {
  const options = {
    max: 8,
    connect_timeout: 10,
    // The driver's own pauses grow to 20 s within seven attempts: a server that restarts would be stood up long after it is back.
    backoff: (attempts: number) => backoffMs(attempts, reconnect, systemRandom) / 1000,
    onnotice: () => {},
    socket: noDelaySockets(),
    types: { wholeNumber: { to: 20, from: [20], serialize: (value: number) => String(value), parse: Number } },
    // Compiling a statement took half of each look at a large fleet: the server expects more rows than there are, since it can not know which are new.
    connection: { application_name: 'data-in-motion', jit: 'off' },
  };
  const client = postgres(databaseUrl, options);
  const db = drizzle(client, { schema }) as unknown as Db;
  const signals = new EventEmitter<StoreSignals>();
  signals.setMaxListeners(0);

  const transaction = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    runTransaction(
      db,
      (tx) => ({
        async copy({ into, bytes }) {
          await copyIn(clientOf<TransactionSql>(tx), `${into} from stdin with (format binary)`, bytes);
        },
        async announceEvents() {
          await tx.execute(sql`select pg_notify(${channel}, '')`);
        },
      }),
      work,
    );

  const settle = async (): Promise<string> => {
    const fingerprint = await serverFingerprint(db);
    return transaction(async (tx) => {
      // Who opens the database first migrates it, the others wait.
      await oneAtATime(tx, 'migrations');
      await migrateStore(tx);
      return settleEpoch(tx, fingerprint, false);
    });
  };

  let storeEpoch: string;
  try {
    storeEpoch = await settle();
    await client.listen(
      channel,
      () => signals.emit('events'),
      () => signals.emit('events'),
    );
  } catch (thrown) {
    await client.end({ timeout: 0 });
    throw asStoreFailure(thrown);
  }

  // A failover leaves the connections' address and this process alive, so look again now and then; while the server is away there is nothing to learn.
  const watch = setInterval(() => {
    settle().then(
      (now) => {
        if (now === storeEpoch) return;
        storeEpoch = now;
        signals.emit('epoch');
      },
      () => {},
    );
  }, epochCheckMs);
  watch.unref();
  // The driver listens again after a lost connection, once: while the server is still starting that fails, and notifications end in silence.
  const missed = setInterval(() => signals.emit('missed'), missedLookMs);
  missed.unref();

  return {
    kind: 'postgres',
    durability: 'commit',
    db,
    signals,
    get storeEpoch() {
      return storeEpoch;
    },
    transaction,
    async nowMs(tx) {
      const [row] = await rowsOf<{ now: number }>(tx ?? db, sql`select (extract(epoch from clock_timestamp()) * 1000)::bigint as now`);
      return row!.now;
    },
    async makeDurable() {},
    async close() {
      clearInterval(watch);
      clearInterval(missed);
      await client.end({ timeout: 5 });
    },
  };
}
