import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, rowsOf } from '../../src/store/database.ts';
import { event, storeMeta } from '../../src/store/schema.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../servers.ts';

describe.skipIf(!hasPostgres)('a store on a PostgreSQL server', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  it('is migrated once by control planes that start together, and they agree on its epoch', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore({ databaseUrl: server.url, directory: '' })));
    expect(new Set(stores.map((store) => store.storeEpoch)).size).toBe(1);
    for (const store of stores) await store.close();
  });

  it('keeps its epoch from one start to the next, and gets a new one when the server is another', async () => {
    const databaseUrl = await server.newDatabase();
    const first = await openStore({ databaseUrl, directory: '' });
    const { storeEpoch } = first;
    await first.close();
    const second = await openStore({ databaseUrl, directory: '' });
    expect(second.storeEpoch).toBe(storeEpoch);
    // As after a restore into another cluster, or a failover: the fingerprint in the row is not this server's.
    await second.db.update(storeMeta).set({ fingerprint: 'of another server' });
    await second.db.execute(sql`insert into event (at_ms, type, severity, text, by, tx_id) values (1, 't', 'info', 'from there', 'me', 9000000000)`);
    await second.close();
    const third = await openStore({ databaseUrl, directory: '' });
    expect(third.storeEpoch).not.toBe(storeEpoch);
    expect(await third.db.select({ txId: event.txId }).from(event)).toEqual([{ txId: 0 }]);
    await third.close();
  });

  it('is open to a user who may only use its own database', async () => {
    const databaseUrl = await server.newDatabase();
    const admin = await openStore({ databaseUrl, directory: '' });
    await admin.db.execute(sql`create role plain login`);
    await admin.db.execute(
      sql.raw(
        `grant all on schema public, drizzle to plain; grant all on all tables in schema public, drizzle to plain; grant all on all sequences in schema public, drizzle to plain; grant create on database ${new URL(databaseUrl).pathname.slice(1)} to plain`,
      ),
    );
    await admin.close();
    const store = await openStore({ databaseUrl: databaseUrl.replace('//dim@', '//plain@'), directory: '' });
    expect(await rowsOf(store.db, sql`select current_user::text as who`)).toEqual([{ who: 'plain' }]);
    await store.close();
  });

  it('that a newer release has migrated is refused', async () => {
    const databaseUrl = await server.newDatabase();
    const store = await openStore({ databaseUrl, directory: '' });
    await store.db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 9999999999999)`);
    await store.close();
    await expect(openStore({ databaseUrl, directory: '' })).rejects.toMatchObject({ kind: 'refused', code: 'store.newer' });
  });

  it('that is not there is unavailable', async () => {
    await expect(openStore({ databaseUrl: 'postgres://nobody@127.0.0.1:9/x', directory: '' })).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
