import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isNull, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Db, openStore, rowsOf, type Store } from '../../src/store/database.ts';
import { alert, event, reading } from '../../src/store/schema.ts';
import { watchExports } from '../../src/store/watch-exports.ts';
import { freshDirectory } from '../empty-database.ts';
import { storeKinds, type TestStores } from '../stores.ts';

const row = {
  deviceId: 'a-drive',
  nodeId: 'n1',
  atMs: 1_700_000_000_123,
  receivedAtMs: 5,
  recordedDay: null,
  source: 'replay',
  status: 'read' as const,
  temperatureCelsius: -3.25,
  powerOnHours: 4e15,
  selfAssessmentPassed: true,
  smart: { '5': 1.5, '197': 2 ** 53 - 1 },
  nvme: null,
  kernel: { block: 'sda', ioErrors: 3, timeouts: null, commands: 9, since: null, unknownBecause: 'ünlikely "quote"\n\\N' },
  unreadableBecause: 'ünlikely "quote"\n\\N',
  batchUid: 'b',
};

describe.each(storeKinds)('a store on $kind', ({ stores }) => {
  let all: TestStores;
  let store: Store;
  beforeAll(async () => {
    all = stores();
    store = await all.open();
  });
  afterAll(() => all.stop());

  it('gives back by query what went in by COPY', async () => {
    await store.transaction((tx) =>
      tx.copyRows(
        reading,
        Array.from({ length: 2_500 }, (_, i) => ({ ...row, atMs: row.atMs + i })),
      ),
    );
    const back = await store.db.select().from(reading).orderBy(reading.atMs);
    expect(back).toHaveLength(2_500);
    expect(back[0]).toEqual(row);
  });

  it('keeps nothing of a transaction that throws, COPY included, and does not do its afterwork', async () => {
    let done = 0;
    const failing = store.transaction(async (tx) => {
      tx.afterCommit(() => done++);
      await tx.copyRows(reading, [{ ...row, deviceId: 'gone' }]);
      throw new Error('in the middle');
    });
    await expect(failing).rejects.toThrow('in the middle');
    expect(await rowsOf(store.db, sql`select 1 from reading where device_id = 'gone'`)).toHaveLength(0);
    expect(done).toBe(0);
  });

  it('says of a value that can never be stored that it is refused', async () => {
    const failing = store.transaction((tx) => tx.copyRows(reading, [{ ...row, deviceId: 'nul\0' }]));
    await expect(failing).rejects.toMatchObject({ kind: 'refused' });
    expect(await store.db.$count(event)).toBe(0);
  });

  it('answers raw queries with whole numbers as numbers', async () => {
    expect(await rowsOf(store.db, sql`select 5::bigint as big, 'x' as text`)).toEqual([{ big: 5, text: 'x' }]);
  });

  it('answers days as they are written, in a transaction and outside', async () => {
    const ask = (db: Db) => rowsOf(db, sql`select '2026-02-03'::date as day, array['a', 'b'] as texts`);
    const asked = [await store.transaction(ask), await ask(store.db)];
    expect(asked).toEqual(asked.map(() => [{ day: '2026-02-03', texts: ['a', 'b'] }]));
  });
});

describe('the directory of an embedded store', () => {
  it('is refused to a second opener, naming the process that has it, and free again after a close', async () => {
    const directory = await freshDirectory();
    const store = await openStore({ databaseUrl: null, directory });
    await expect(openStore({ databaseUrl: null, directory })).rejects.toMatchObject({ kind: 'refused', code: 'store.in-use', ids: { pid: process.pid } });
    await store.close();
    await (await openStore({ databaseUrl: null, directory })).close();
    rmSync(directory, { recursive: true });
  });

  it('is taken over from a process that was killed, and holds what that had committed', async () => {
    const directory = await freshDirectory();
    const database = new URL('../../src/store/database.ts', import.meta.url).href;
    const script = `const { openStore } = await import(${JSON.stringify(database)});
      const store = await openStore({ databaseUrl: null, directory: ${JSON.stringify(directory)} });
      await store.db.execute("insert into event (at_ms, type, severity, text, by) values (1, 't', 'info', 'kept', 'me')");
      console.log('committed'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await expect(openStore({ databaseUrl: null, directory })).rejects.toMatchObject({ code: 'store.in-use', ids: { pid: child.pid } });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openStore({ databaseUrl: null, directory });
    expect(await store.db.$count(event)).toBe(1);
    await store.close();
    rmSync(directory, { recursive: true });
  });

  it('that does not open is replaced by the last export, under a new epoch', async () => {
    const directory = await freshDirectory();
    const first = await openStore({ databaseUrl: null, directory });
    await first.db.execute(sql`insert into event (at_ms, type, severity, text, by) values (1, 't', 'info', 'exported', 'me')`);
    await first.close();
    rmSync(join(directory, 'data', 'global'), { recursive: true });
    writeFileSync(join(directory, 'data', 'PG_VERSION'), 'x');
    const second = await openStore({ databaseUrl: null, directory });
    expect(second.storeEpoch).not.toBe(first.storeEpoch);
    expect(await second.db.$count(event)).toBe(1);
    await second.close();
    const third = await openStore({ databaseUrl: null, directory });
    expect(third.storeEpoch).toBe(second.storeEpoch);
    await third.close();
    rmSync(directory, { recursive: true });
  });

  it('is taken from the last export, under a new epoch, when the machine ended while it was open, and from then on as it is', async () => {
    const directory = await freshDirectory();
    const lock = join(directory, 'lock');
    const tell = (store: Store, text: string) =>
      store.db.execute(sql`insert into event (at_ms, type, severity, text, by) values (1, 't', 'info', ${text}, 'me')`);
    const told = async (store: Store) => (await store.db.select({ text: event.text }).from(event).orderBy(event.seq)).map((row) => row.text);
    const first = await openStore({ databaseUrl: null, directory });
    await tell(first, 'exported');
    await first.makeDurable();
    await tell(first, 'in no export');
    // The power goes: what follows is written to the files, but the lock of before is all that says whether they are whole.
    const left = JSON.stringify({ ...JSON.parse(readFileSync(lock, 'utf8')), bootId: 'of the start before' });
    const exported = readFileSync(join(directory, 'export.tar'));
    await first.close();
    writeFileSync(lock, left);
    writeFileSync(join(directory, 'export.tar'), exported);
    const second = await openStore({ databaseUrl: null, directory });
    expect(second.storeEpoch).not.toBe(first.storeEpoch);
    expect(await told(second)).toEqual(['exported']);
    await second.close();
    const third = await openStore({ databaseUrl: null, directory });
    expect(third.storeEpoch).toBe(second.storeEpoch);
    expect(await told(third)).toEqual(['exported']);
    await third.close();
    rmSync(directory, { recursive: true });
  });

  it('that ended well before the machine was started anew is what was exported then, under the same epoch', async () => {
    const directory = await freshDirectory();
    const first = await openStore({ databaseUrl: null, directory });
    await first.db.execute(sql`insert into event (at_ms, type, severity, text, by) values (1, 't', 'info', 'told', 'me')`);
    await first.close();
    // The files were never flushed, so they are not what is opened.
    writeFileSync(join(directory, 'ready'), 'of the start before');
    writeFileSync(join(directory, 'data', 'left-over'), '');
    const second = await openStore({ databaseUrl: null, directory });
    expect([existsSync(join(directory, 'data', 'left-over')), existsSync(join(directory, 'data.aside'))]).toEqual([false, false]);
    expect(second.storeEpoch).toBe(first.storeEpoch);
    expect(await second.db.$count(event)).toBe(1);
    await second.close();
    rmSync(directory, { recursive: true });
  });

  it('gets a new epoch when the machine ended before there was an export, also when the next start did not get far', async () => {
    const directory = await freshDirectory();
    const first = await openStore({ databaseUrl: null, directory });
    const { bootId, ...holder } = JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'));
    await first.close();
    rmSync(join(directory, 'export.tar'));
    // A process of this boot took the lock over, and was killed before it settled anything.
    writeFileSync(join(directory, 'lock'), JSON.stringify({ ...holder, bootId, startedAt: '1', machineEnded: true }));
    const second = await openStore({ databaseUrl: null, directory });
    expect(second.storeEpoch).not.toBe(first.storeEpoch);
    expect(JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'))).toEqual({ ...holder, bootId });
    await second.close();
    rmSync(directory, { recursive: true });
  });

  it('still knows that the machine ended after a start that failed', async () => {
    const directory = await freshDirectory();
    const lock = join(directory, 'lock');
    const exported = join(directory, 'export.tar');
    const first = await openStore({ databaseUrl: null, directory });
    await first.makeDurable();
    const { bootId, ...holder } = JSON.parse(readFileSync(lock, 'utf8'));
    const good = readFileSync(exported);
    await first.db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('of a newer release', 99999999999999)`);
    await first.close();
    writeFileSync(join(directory, 'ready'), 'of the start before');
    writeFileSync(lock, JSON.stringify({ ...holder, bootId: 'of the start before' }));
    await expect(openStore({ databaseUrl: null, directory })).rejects.toMatchObject({ code: 'store.newer' });
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toEqual({ ...holder, bootId, machineEnded: true });
    // That process ends, and a person puts an older export back.
    writeFileSync(lock, JSON.stringify({ ...holder, bootId, startedAt: '1', machineEnded: true }));
    writeFileSync(exported, good);
    const second = await openStore({ databaseUrl: null, directory });
    expect(second.storeEpoch).not.toBe(first.storeEpoch);
    await second.close();
    expect(existsSync(lock)).toBe(false);
    rmSync(directory, { recursive: true });
  });

  it('gets a new epoch when its lock can not be read', async () => {
    const directory = await freshDirectory();
    const first = await openStore({ databaseUrl: null, directory });
    await first.close();
    writeFileSync(join(directory, 'lock'), '');
    const second = await openStore({ databaseUrl: null, directory });
    expect(second.storeEpoch).not.toBe(first.storeEpoch);
    await second.close();
    rmSync(directory, { recursive: true });
  });

  it('tells a person when two exports in a row failed, until one works again', async () => {
    const directory = await freshDirectory();
    const partial = join(directory, 'export.tar.partial');
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const store = await openStore({ databaseUrl: null, directory });
    const failures: string[] = [];
    watchExports(store, (failure) => failures.push(failure.code));
    const openAlerts = () => store.db.select({ key: alert.key }).from(alert).where(isNull(alert.endedAtMs));
    const exportOnce = async (text: string): Promise<void> => {
      await store.db.execute(sql`insert into event (at_ms, type, severity, text, by) values (1, 't', 'info', ${text}, 'me')`);
      const told = once(store.signals, 'exported');
      vi.advanceTimersByTime(60_000);
      await told;
    };
    mkdirSync(partial);
    await exportOnce('in no export');
    expect(await openAlerts()).toEqual([]);
    await exportOnce('neither');
    await vi.waitUntil(async () => (await openAlerts()).length === 1);
    expect(await openAlerts()).toEqual([{ key: 'store.export-failing:store' }]);
    expect(failures).toEqual(['system.eisdir', 'system.eisdir']);
    rmSync(partial, { recursive: true });
    await exportOnce('with all before');
    await vi.waitUntil(async () => (await openAlerts()).length === 0);
    await store.close();
    rmSync(directory, { recursive: true });
  });

  it('is exported again at its end when something was stored while the export before was written', async () => {
    const directory = await freshDirectory();
    const elsewhere = mkdtempSync(join(tmpdir(), 'dim-store-'));
    const store = await openStore({ databaseUrl: null, directory });
    await store.db.execute(sql`insert into event (at_ms, type, severity, text, by) values (1, 't', 'info', 'before', 'me')`);
    const exporting = store.makeDurable();
    await vi.waitUntil(() => existsSync(join(directory, 'export.tar.partial')), { interval: 1, timeout: 20_000 });
    await store.db.execute(sql`insert into event (at_ms, type, severity, text, by) values (1, 't', 'info', 'meanwhile', 'me')`);
    await exporting;
    await store.close();
    cpSync(join(directory, 'export.tar'), join(elsewhere, 'export.tar'));
    const restored = await openStore({ databaseUrl: null, directory: elsewhere });
    expect(await restored.db.$count(event)).toBe(2);
    await restored.close();
    rmSync(directory, { recursive: true });
    rmSync(elsewhere, { recursive: true });
  });
});
