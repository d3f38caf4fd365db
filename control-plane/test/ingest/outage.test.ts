import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Ingest, startIngest } from '../../src/ingest/ingest.ts';
import { openStore, rowsOf, type Store } from '../../src/store/database.ts';
import { asStoreFailure } from '../../src/store/database-failure.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../servers.ts';
import { Outbox, reading, TestBus } from './outbox.ts';

const answer = (code: string, more: object = {}): Error => Object.assign(new Error(`it said ${code}`), { code, ...more });

describe('what a database that is not well answers', () => {
  it.each(['ENOENT', 'ENOTFOUND', 'ENETUNREACH', 'EAI_AGAIN', 'ECONNREFUSED', 'EPIPE', '28P01', '3D000', '26000', '55P03', '57P03'])(
    'with %s is that it is away',
    (code) => {
      expect(asStoreFailure(new Error('Failed query', { cause: answer(code, { syscall: 'connect' }) })).kind).toBe('unavailable');
    },
  );

  it.each(['42501', '42P01', 'XX000', 'CERT_HAS_EXPIRED'])('with %s says nothing against the values', (code) => {
    expect(asStoreFailure(answer(code)).kind).not.toBe('refused');
  });
});

describe.skipIf(!hasPostgres)('the ingest into a PostgreSQL on a Unix socket', () => {
  let server: PostgresServer;
  let store: Store;
  let bus: TestBus;
  let ingest: Ingest;
  let failures: Failure[];

  beforeAll(async () => {
    server = await startPostgres();
    vi.stubEnv('PGHOST', server.socketFolder);
    vi.stubEnv('PGPORT', String(server.port));
    vi.stubEnv('PGUSER', 'dim');
    store = await openStore({ databaseUrl: `postgres:///${new URL(server.url).pathname.slice(1)}`, directory: '' });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await store.close();
    await server.stop();
  });

  const listen = (over: Partial<Store> = {}): void => {
    bus = new TestBus();
    failures = [];
    const parts = { bus, clock: systemClock, publicKeyPem: 'PEM', onBoot: async () => {}, onAsk: () => {}, onJobsChanged: () => {} };
    ingest = startIngest({ ...parts, store: Object.assign(Object.create(store) as Store, over), onFailure: (failure) => void failures.push(failure) });
  };
  const readings = (device: string) => rowsOf<{ at: number }>(store.db, sql`select at_ms as at from reading where device_id = ${device} order by 1`);

  it('stores what was sent before, while and after it was away, and nothing of it as unreadable', async () => {
    listen();
    const outbox = new Outbox('n1');
    const sent = Array.from({ length: 60 }, (_, i) => i + 1);
    const send = (from: number, to: number) => Promise.all(sent.slice(from, to).map((atMs) => bus.deliver('batch', 'n1', outbox.seal([reading('d1', atMs)]))));
    await send(0, 20);
    const restarting = server.restart(300);
    await send(20, 40);
    await vi.waitUntil(() => failures.length > 1, 20_000);
    await restarting;
    await send(40, 60);
    await bus.said(({ name, payload }) => name === 'ack' && payload.upto === 60);
    expect((await readings('d1')).map((row) => row.at)).toEqual(sent);
    expect(await rowsOf(store.db, sql`select 1 from quarantine`)).toEqual([]);
    expect(failures.filter(({ kind }) => kind === 'defect').map(String)).toEqual([]);
    await ingest.stop();
  }, 60_000);

  it.each(['42p01', '42501', 'xx000'])('waits for its tables when it answers %s', async (code) => {
    let away = 3;
    listen({
      transaction: (work) => (away-- > 0 ? Promise.reject(asStoreFailure(answer(code.toUpperCase()))) : store.transaction(work)),
    });
    await bus.deliver('batch', `n${code}`, new Outbox(`n${code}`).seal([reading(`d${code}`, 1)]));
    await bus.said(({ name }) => name === 'ack');
    expect(await readings(`d${code}`)).toHaveLength(1);
    expect(failures[0]?.code).toBe(`database.${code}`);
    await ingest.stop();
  });

  it('does not believe a refusal of a database that refuses everything', async () => {
    let away = 3;
    listen({
      transaction: (work) => (away-- > 0 ? Promise.reject(asStoreFailure(answer('22P02'))) : store.transaction(work)),
    });
    await bus.deliver('batch', 'n3', new Outbox('n3').seal([reading('d3', 1)]));
    await bus.said(({ name }) => name === 'ack');
    expect(await readings('d3')).toHaveLength(1);
    await ingest.stop();
  });

  it('leaves out what our own mistake keeps from being stored, until it is said again, and stores the rest', async () => {
    let isWrong = true;
    listen({
      transaction: (work) =>
        store.transaction(async (tx) => {
          const result = await work(tx);
          const [met] = await rowsOf(tx, sql`select 1 from reading where at_ms = 667`);
          if (isWrong && met !== undefined) throw new Failure('defect', { code: 'job.impossible-step', message: 'a mistake' });
          return result;
        }),
    });
    const outbox = new Outbox('n4');
    const batches = [1, 667, 3].map((atMs) => outbox.seal([reading('d4', atMs)]));
    await Promise.all(batches.map((batch) => bus.deliver('batch', 'n4', batch)));
    await bus.said(({ name, payload }) => name === 'ack' && (payload.holes as number[]).includes(2));
    expect(await rowsOf(store.db, sql`select 1 from quarantine`)).toEqual([]);
    isWrong = false;
    await bus.deliver('batch', 'n4', batches[1]);
    await bus.said(({ name, payload }) => name === 'ack' && payload.upto === 3);
    expect((await readings('d4')).map((row) => row.at)).toEqual([1, 3, 667]);
    await ingest.stop();
  });
});
