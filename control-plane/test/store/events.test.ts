import { systemClock } from '@data-in-motion/shared/clock';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startDispatch } from '../../src/dispatch/dispatch.ts';
import { endAlert, endSettledAlerts, raiseAlert } from '../../src/store/alerts.ts';
import { openStore, type Store } from '../../src/store/database.ts';
import { appendEvents, followEvents, lastEventSeq, type NewEvent } from '../../src/store/events.ts';
import { alert, event } from '../../src/store/schema.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../servers.ts';
import { storeKinds, type TestStores } from '../stores.ts';

const said = (text: string): NewEvent => ({ type: 'test.said', severity: 'info', text, ids: {}, by: 'test' });

/** Follow until so many events came. */
async function heard(store: Store, afterSeq: number, count: number): Promise<string[]> {
  const texts: string[] = [];
  const stop = new AbortController();
  for await (const rows of followEvents(store, afterSeq, stop.signal)) {
    texts.push(...rows.map((row) => row.text));
    if (texts.length >= count) stop.abort();
  }
  return texts;
}

describe.each(storeKinds)('events on $kind', ({ stores }) => {
  let all: TestStores;
  let store: Store;
  beforeAll(async () => {
    all = stores();
    store = await all.open();
  });
  afterAll(() => all.stop());

  it('reach a follower that waits, in the order of their transactions, and one that comes later from where it was', async () => {
    const early = heard(store, 0, 3);
    for (const text of ['one', 'two', 'three']) await store.transaction((tx) => appendEvents(tx, 1, [said(text)]));
    expect(await early).toEqual(['one', 'two', 'three']);
    const [first] = await store.db.select().from(event).orderBy(event.seq).limit(1);
    expect(await heard(store, first!.seq, 2)).toEqual(['two', 'three']);
    expect(await lastEventSeq(store.db)).toBe(first!.seq + 2);
  });

  it('of a transaction that was rolled back are never seen', async () => {
    const from = await lastEventSeq(store.db);
    await store
      .transaction(async (tx) => {
        await appendEvents(tx, 1, [said('undone')]);
        throw new Error('no');
      })
      .catch(() => {});
    await store.transaction((tx) => appendEvents(tx, 1, [said('done')]));
    expect(await heard(store, from, 1)).toEqual(['done']);
  });

  /** A store whose next look at the events fails once when it is told so. */
  function failing(code: string | undefined) {
    let isWell = true;
    const db = Object.assign(Object.create(store.db) as Store['db'], {
      select: (...given: Parameters<Store['db']['select']>) => {
        if (isWell) return store.db.select(...given);
        isWell = true;
        throw Object.assign(new Error('no'), { code });
      },
    });
    return { failing: Object.assign(Object.create(store) as Store, { db }), fail: () => (isWell = false) };
  }

  it.each(['53300', '57P01', 'ECONNREFUSED'])('go on for a follower after the database answered %s', async (code) => {
    const from = await lastEventSeq(store.db);
    const { failing: its, fail } = failing(code);
    const texts = heard(its, from, 2);
    await store.transaction((tx) => appendEvents(tx, 1, [said('one')]));
    fail();
    await store.transaction((tx) => appendEvents(tx, 1, [said('two')]));
    expect(await texts).toEqual(['one', 'two']);
  });

  it.each(['42501', 'XX000', undefined])('end for a follower with a failure that nobody says will pass: %s', async (code) => {
    const { failing: its, fail } = failing(code);
    fail();
    await expect(heard(its, 1, 1)).rejects.toMatchObject({ kind: 'defect' });
  });

  it('are told on the bus again after such a failure, which is reported', async () => {
    const { failing: its, fail } = failing('42501');
    const told: string[] = [];
    const failures: string[] = [];
    const bus = {
      publish: async (name: string, _: string, payload: unknown) => void (name === 'events' && told.push((payload as { data: { text: string } }).data.text)),
    };
    const parts = { store: its, bus: bus as never, signingKey: {} as never, clock: systemClock };
    const dispatch = startDispatch({ ...parts, onFailure: (failure) => failures.push(failure.code) });
    const spoken: string[] = [];
    const say = (text: string) => {
      spoken.push(text);
      return store.transaction((tx) => appendEvents(tx, 1, [said(text)]));
    };
    await vi.waitUntil(
      async () => {
        await say(`before ${spoken.length}`);
        return told.length > 0;
      },
      { timeout: 10_000 },
    );
    fail();
    await say('again');
    await vi.waitUntil(() => told.includes('again'), { timeout: 10_000 });
    expect(failures).toEqual(['database.42501']);
    // From the first that was told on, each once.
    expect(told).toEqual(spoken.slice(spoken.indexOf(told[0]!)));
    await dispatch.stop();
  });

  it('end with the signal, also while nothing happens', async () => {
    const stop = new AbortController();
    const following = (async () => {
      for await (const _ of followEvents(store, await lastEventSeq(store.db), stop.signal)) throw new Error('nothing happened');
    })();
    setImmediate(() => stop.abort());
    await following;
  });

  it('tell the rise and the end of an alert, and its growing worse, but not its repetition', async () => {
    const from = await lastEventSeq(store.db);
    const raise = (severity: 'warning' | 'error') =>
      store.transaction((tx) => raiseAlert(tx, 5, { rule: 'r', subject: 's', severity, text: `it is ${severity}`, ids: { deviceId: 'd' } }));
    await raise('warning');
    await raise('warning');
    await raise('error');
    await store.transaction((tx) => endAlert(tx, 9, 'r', 's'));
    await store.transaction((tx) => endAlert(tx, 9, 'r', 's'));
    await raise('warning');
    expect(await heard(store, from, 4)).toEqual(['it is warning', 'it is error', 'No longer: it is error', 'it is warning']);
    expect(await store.db.select({ times: alert.times, ended: alert.endedAtMs }).from(alert).orderBy(alert.alertId)).toHaveLength(2);
  });

  it('end the alerts of what happened once when it did not happen again, and no others', async () => {
    const raise = (rule: string, atMs: number) =>
      store.transaction((tx) => raiseAlert(tx, atMs, { rule, subject: 'n1', severity: 'warning', text: rule, ids: { nodeId: 'n1' } }));
    const open = async (atMs: number) => {
      await store.transaction((tx) => endSettledAlerts(tx, atMs));
      const rows = await store.db.select({ rule: alert.rule }).from(alert).where(sql`ended_at_ms is null and ids->>'nodeId' = 'n1'`);
      return rows.map((row) => row.rule).sort();
    };
    for (const rule of ['agent-flapping', 'agent-lost', 'stream-forked', 'telemetry-gap']) await raise(rule, 0);
    await raise('agent-flapping', 100_000);
    expect(await open(399_999)).toEqual(['agent-flapping', 'agent-lost', 'stream-forked', 'telemetry-gap']);
    expect(await open(400_000)).toEqual(['agent-lost', 'stream-forked', 'telemetry-gap']);
    expect(await open(3_600_000)).toEqual(['agent-lost', 'telemetry-gap']);
    expect(await open(86_400_000)).toEqual(['agent-lost']);
  });
});

describe.skipIf(!hasPostgres)('events of several control planes', () => {
  let server: PostgresServer;
  let stores: Store[];
  beforeAll(async () => {
    server = await startPostgres();
    stores = [];
    for (let i = 0; i < 3; i++) stores.push(await openStore({ databaseUrl: server.url, directory: '' }));
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await server.stop();
  });

  it('are followed without a gap when a transaction that began earlier ends later', async () => {
    const follower = heard(stores[2]!, 0, 2);
    const appended = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const slow = stores[0]!.transaction(async (tx) => {
      await appendEvents(tx, 1, [said('slow')]);
      appended.resolve();
      await mayEnd.promise;
    });
    await appended.promise;
    await stores[1]!.transaction((tx) => appendEvents(tx, 1, [said('fast')]));
    mayEnd.resolve();
    await slow;
    expect((await follower).sort()).toEqual(['fast', 'slow']);
  });

  it('each reach every follower exactly once while all write at the same time', async () => {
    const from = await lastEventSeq(stores[0]!.db);
    const followers = stores.map((store) => heard(store, from, 150));
    await Promise.all(
      stores.flatMap((store, at) => Array.from({ length: 50 }, (_, i) => store.transaction((tx) => appendEvents(tx, 1, [said(`${at} ${i}`)])))),
    );
    const [first, ...others] = await Promise.all(followers);
    expect(new Set(first).size).toBe(150);
    for (const other of others) expect(other).toEqual(first);
  });

  // For longer than the driver tries to listen again: then nobody is called any more, and followers must look by themselves.
  it.for([0, 3_000])(
    'go on after the server was killed and came back %d ms later',
    // A server that was killed flushes all its files before it answers, which takes its time on a busy disk.
    { timeout: 120_000 },
    async (awayMs) => {
      const from = await lastEventSeq(stores[0]!.db);
      const follower = heard(stores[2]!, from, 1);
      await server.restart(awayMs);
      await expect
        .poll(
          () =>
            stores[0]!
              .transaction((tx) => appendEvents(tx, 1, [said('again')]))
              .then(
                () => 'stored',
                (failure: { kind: string }) => failure.kind,
              ),
          { timeout: 60_000 },
        )
        .toBe('stored');
      expect(await follower).toEqual(['again']);
    },
  );
});
