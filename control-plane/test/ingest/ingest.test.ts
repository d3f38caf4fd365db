import { systemClock } from '@data-in-motion/shared/clock';
import type { ModelVersion, NodeId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import type { AckMessage, BatchMessage, BootMessage, WelcomeMessage } from '@data-in-motion/shared/protocol/messages';
import type { TopicName } from '@data-in-motion/shared/protocol/topics';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { eq, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Ingest, type IngestParts, startIngest } from '../../src/ingest/ingest.ts';
import { readMessage, type Work } from '../../src/ingest/read-message.ts';
import { storeGroup } from '../../src/ingest/store-group.ts';
import { endSettledAlerts } from '../../src/store/alerts.ts';
import { rowsOf, type Store, type Tx } from '../../src/store/database.ts';
import { loadSnapshot } from '../../src/store/load-snapshot.ts';
import * as schema from '../../src/store/schema.ts';
import { storeKinds, type TestStores } from '../stores.ts';
import { access, assessment, bootOf, nextUlid, Outbox, reading, seen, startMs, TestBus } from './outbox.ts';

describe.each(storeKinds)('the ingest into $kind', ({ stores }) => {
  let all: TestStores;
  let store: Store;
  let bus: TestBus;
  let ingest: Ingest;
  let failures: Failure[];
  const ended: unknown[] = [];
  const asked: unknown[] = [];
  const changed: string[] = [];

  const parts = (over: Partial<IngestParts> = {}): IngestParts => ({
    store,
    bus,
    clock: systemClock,
    publicKeyPem: 'PEM',
    onBoot: async (_, boot) => void ended.push(boot),
    onAsk: (nodeId, ask) => void asked.push([nodeId, ask.have]),
    onJobsChanged: (nodeIds) => void changed.push(...nodeIds),
    onFailure: (failure) => void failures.push(failure),
    ...over,
  });
  const start = (over: Partial<IngestParts> = {}): void => {
    ingest = startIngest(parts(over));
  };
  const send = (batch: BatchMessage, node = 'n1'): Promise<void> => bus.deliver('batch', node, batch);
  const ackUpto = async (upto: number, inc = 1): Promise<AckMessage> =>
    (await bus.said(({ name, payload }) => name === 'ack' && payload.upto === upto && payload.inc === inc)).payload as AckMessage;
  const count = (table: 'reading' | 'batch' | 'access_event' | 'quarantine' | 'event'): Promise<number> =>
    rowsOf<{ n: number }>(store.db, sql`select count(*)::int as n from ${sql.identifier(table)}`).then((rows) => rows[0]!.n);

  beforeAll(async () => {
    all = stores();
    store = await all.open();
  });
  afterAll(() => all.stop());
  beforeEach(async () => {
    const names = await rowsOf<{ name: string }>(
      store.db,
      sql`select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'store_meta'`,
    );
    await store.db.execute(sql.raw(`truncate ${names.map(({ name }) => `"${name}"`).join(', ')}`));
    bus = new TestBus();
    failures = [];
    ended.length = asked.length = changed.length = 0;
    start();
  });
  afterEach(() => ingest.stop());

  it('welcomes an agent with a new incarnation, a repetition with the same, and ends the leases of the life before', async () => {
    const boot = bootOf(new Outbox('n1'));
    const welcomed = async (bootUid: string) =>
      (await bus.said(({ name, payload }) => name === 'welcome' && payload.bootUid === bootUid)).payload as WelcomeMessage;
    await bus.deliver('boot', 'n1', boot);
    expect(await welcomed(boot.bootUid)).toMatchObject({ incarnation: 1, storeEpoch: store.storeEpoch, watermark: 0, publicKeyPem: 'PEM' });
    bus.published.length = 0;
    await bus.deliver('boot', 'n1', boot);
    expect(await welcomed(boot.bootUid)).toMatchObject({ incarnation: 1 });
    const next = bootOf(new Outbox('n1'), { lastIncarnation: 1 });
    await bus.deliver('boot', 'n1', next);
    expect(await welcomed(next.bootUid)).toMatchObject({ incarnation: 2 });
    expect(ended).toEqual([
      { nodeId: 'n1', incarnation: 1, endedIncarnation: null },
      { nodeId: 'n1', incarnation: 2, endedIncarnation: 1 },
    ]);
    expect(changed).toEqual(['n1', 'n1']);
  });

  it('knows which failure model an agent runs, from its start and whenever that changes, and takes nothing late for news', async () => {
    const [first, second, third] = ['000000000001', '000000000002', '000000000003'] as ModelVersion[];
    const runs = async () => (await rowsOf<{ model: string | null }>(store.db, sql`select model_version as model from node`))[0]?.model;
    const outbox = new Outbox('n1');
    await bus.deliver('boot', 'n1', bootOf(outbox, { modelVersion: first! }));
    await expect.poll(runs).toBe(first);
    const [change, later] = [second!, third!].map((version, i) => outbox.seal([{ type: 'model-running', atMs: startMs + i, version }]));
    await send(later!);
    await expect.poll(runs).toBe(third);
    await send(change!);
    await ackUpto(2);
    expect(await runs()).toBe(third);
    await send(outbox.seal([{ type: 'model-running', atMs: startMs - 1, version: null }]));
    await expect.poll(runs).toBeNull();
  });

  it('never gives an incarnation again that an agent remembers, even when the store was set back', async () => {
    await bus.deliver('boot', 'n1', bootOf(new Outbox('n1'), { lastIncarnation: 41 }));
    expect((await bus.said(({ name }) => name === 'welcome')).payload).toMatchObject({ incarnation: 42 });
  });

  it('tells the watermark of the life before at the next start', async () => {
    const outbox = new Outbox('n1');
    await send(outbox.seal([reading('d1', startMs)]));
    await ackUpto(1);
    await bus.deliver('boot', 'n1', bootOf(outbox, { lastIncarnation: 1, lastSeq: 1 }));
    expect((await bus.said(({ name }) => name === 'welcome')).payload).toMatchObject({ incarnation: 2, watermark: 1 });
  });

  it('misses nothing of an earlier life that its agent remembers, and all that was lost with a journal', async () => {
    const missing = async () =>
      rowsOf<{ inc: number; n: number }>(store.db, sql`select incarnation as inc, (highest_seen - watermark)::int as n from agent_stream order by 1`);
    const outbox = new Outbox('n1');
    await bus.deliver('boot', 'n1', bootOf(outbox));
    const batches = [1, 2, 3].map((i) => outbox.seal([reading('d1', startMs + i)]));
    await send(batches[0]!);
    await send(batches[2]!);
    await ackUpto(1);
    await expect.poll(missing).toEqual([{ inc: 1, n: 2 }]);
    await bus.deliver('boot', 'n1', bootOf(outbox, { lastIncarnation: 1, lastSeq: 3 }));
    await expect.poll(missing).toEqual([
      { inc: 1, n: 0 },
      { inc: 2, n: 0 },
    ]);
    for (const batch of outbox.restart(2, batches.slice(1))) if (batch.seq === 2) await send(batch);
    await expect.poll(missing).toContainEqual({ inc: 2, n: 2 });
    await bus.deliver('boot', 'n1', bootOf(new Outbox('n1')));
    await expect.poll(missing).toEqual([
      { inc: 1, n: 0 },
      { inc: 2, n: 2 },
      { inc: 3, n: 0 },
    ]);
  });

  it('misses nothing of an earlier life whose last batch is stored together with the next start', async () => {
    const outbox = new Outbox('n1');
    await bus.deliver('boot', 'n1', bootOf(outbox));
    const [first, , third] = [1, 2, 3].map((i) => outbox.seal([reading('d1', startMs + i)]));
    await send(first!);
    await ackUpto(1);
    const work = (name: TopicName, payload: unknown): Work => readMessage(name, 'n1', Buffer.from(JSON.stringify(payload)));
    const group = [work('boot', bootOf(outbox, { lastIncarnation: 1, lastSeq: 3 })), work('batch', third)];
    await store.transaction(async (tx) => void (await storeGroup(tx, startMs, group, async () => {}, 'PEM')));
    const [stream] = await rowsOf<{ n: number }>(store.db, sql`select (highest_seen - watermark)::int as n from agent_stream where incarnation = 1`);
    expect([stream!.n, await count('reading')]).toEqual([0, 2]);
  });

  it('stores a batch once, however often it comes, and acknowledges it each time after the commit', async () => {
    const outbox = new Outbox('n1');
    const batch = outbox.seal([seen('d1'), reading('d1', startMs), reading('d1', startMs + 1)]);
    for (let i = 0; i < 3; i++) {
      bus.published.length = 0;
      await send(batch);
      const ack = await ackUpto(1);
      expect(ack).toMatchObject({ chainAtUpto: batch.chain, holes: [], storeEpoch: store.storeEpoch, durableUpto: store.durability === 'commit' ? 1 : 0 });
      expect(await count('reading')).toBe(2);
    }
    expect(ingest.counts()).toMatchObject({ records: 3, repeatedBatches: 2 });
  });

  it('names the holes, and moves the watermark over them when they are filled', async () => {
    const outbox = new Outbox('n1');
    const batches = Array.from({ length: 6 }, (_, i) => outbox.seal([reading('d1', startMs + i)]));
    for (const i of [0, 5, 3]) await send(batches[i]!);
    await expect.poll(async () => (bus.published.at(-1)?.payload as AckMessage | undefined)?.holes).toEqual([2, 3, 5]);
    for (const i of [1, 2, 4]) await send(batches[i]!);
    expect(await ackUpto(6)).toMatchObject({ holes: [], chainAtUpto: batches[5]!.chain });
    expect(await count('reading')).toBe(6);
  });

  it('says after an export that what is in it is durable', async () => {
    if (store.durability === 'commit') return;
    const outbox = new Outbox('n1');
    await send(outbox.seal([reading('d1', startMs)]));
    await ackUpto(1);
    await store.makeDurable();
    await bus.said(({ name, payload }) => name === 'ack' && payload.durableUpto === 1);
  });

  it('places what was not acknowledged anew in the next life, without counting its records again', async () => {
    const outbox = new Outbox('n1');
    const first = [outbox.seal([reading('d1', 1)]), outbox.seal([reading('d1', 2)])];
    await send(first[0]!);
    await ackUpto(1);
    for (const batch of outbox.restart(2, first)) await send(batch);
    expect(await ackUpto(2, 2)).toMatchObject({ holes: [], chainAtUpto: outbox.chain });
    expect(await count('reading')).toBe(2);
  });

  it('sees that two outboxes speak under one name', async () => {
    const [one, clone] = [new Outbox('n1'), new Outbox('n1')];
    await send(one.seal([reading('d1', 1)]));
    await ackUpto(1);
    const contradicting = clone.seal([reading('d1', 2)]);
    await send(contradicting);
    await expect.poll(() => rowsOf(store.db, sql`select rule from alert`)).toEqual([{ rule: 'stream-forked' }]);
    // The facts in it are kept; the chain in the acknowledgement tells the clone that its place is taken.
    expect((await ackUpto(1)).chainAtUpto).not.toBe(contradicting.chain);
    await expect.poll(() => count('reading')).toBe(2);
  });

  it('quarantines a batch whose records can not be read, and counts it as received', async () => {
    const outbox = new Outbox('n1');
    const damaged = { ...outbox.seal([reading('d1', 1)]), records: '[]' };
    for (const batch of [
      outbox.seal('nonsense'),
      outbox.seal('[{"type":"reading"}]'),
      { ...outbox.seal([reading('d1', 2)]), records: 7 as unknown as string },
      damaged,
    ])
      await send(batch);
    await send(outbox.seal([reading('d1', 3)]));
    expect(await ackUpto(5)).toMatchObject({ holes: [] });
    const rows = await store.db.select().from(schema.quarantine);
    expect(rows.map((row) => row.because).sort()).toEqual([
      expect.stringContaining('0.'),
      'its chain does not fit its records',
      'its records are not JSON',
      'its records are not a text',
    ]);
    expect(await count('reading')).toBe(1);
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0])],
    ['another version', { v: 2 }],
    ['nothing at all', Buffer.alloc(0)],
    ['a null', null],
  ])('quarantines %s and goes on', async (_, payload) => {
    for (const name of ['batch', 'boot', 'state', 'ask', 'access'] as const) await bus.deliver(name, 'n1', payload);
    bus.refuse('dim/v1/n2/up/batch', 'n1', 'n1 may not publish to it');
    await expect.poll(() => count('quarantine')).toBe(6);
    await send(new Outbox('n1').seal([reading('d1', 1)]));
    await ackUpto(1);
    expect(await rowsOf(store.db, sql`select rule from alert`)).toEqual([{ rule: 'bus-unreadable' }]);
  });

  it('quarantines a boot that speaks for another node', async () => {
    await bus.deliver('boot', 'n1', bootOf(new Outbox('n2')));
    await expect.poll(() => count('quarantine')).toBe(1);
    expect(await store.db.$count(schema.node)).toBe(0);
  });

  it('keeps at most a thousand messages in the quarantine, the newest', async () => {
    for (let i = 0; i < 1_050; i++) await bus.deliver('ask', 'n1', Buffer.from(`bad ${i}`));
    await expect.poll(() => ingest.counts().unreadable, { timeout: 20_000 }).toBe(1_050);
    expect(await count('quarantine')).toBe(1_000);
  });

  it('makes hostile text storable', async () => {
    const outbox = new Outbox('n1');
    const hostile = reading('d1', 1) as { unreadableBecause: string | null; status: string };
    await send(outbox.seal([{ ...hostile, status: 'unreadable', unreadableBecause: 'nul \0 and half \ud800 of a pair' } as never]));
    await ackUpto(1);
    expect(await rowsOf(store.db, sql`select unreadable_because as text from reading`)).toEqual([{ text: 'nul � and half � of a pair' }]);
  });

  it('takes a group apart when the store refuses something in it, and keeps the rest', async () => {
    const outbox = new Outbox('n1');
    const refusing: Store = Object.assign(Object.create(store) as Store, {
      transaction: <T>(work: (tx: Tx) => Promise<T>) =>
        store.transaction(async (tx) => {
          const result = await work(tx);
          const [bad] = await rowsOf(tx, sql`select 1 from reading where at_ms = 666`);
          if (bad !== undefined) throw new Failure('refused', { code: 'database.22003', message: 'out of range' });
          return result;
        }),
    });
    await ingest.stop();
    start({ store: refusing });
    const batches = [1, 666, 3].map((atMs) => outbox.seal([reading('d1', atMs)]));
    await Promise.all(batches.map((batch) => send(batch)));
    expect(await ackUpto(3)).toMatchObject({ holes: [] });
    expect(await rowsOf(store.db, sql`select at_ms as at from reading order by 1`)).toEqual([{ at: 1 }, { at: 3 }]);
    expect(await count('quarantine')).toBe(1);
    expect(failures.length).toBeGreaterThan(0);
  });

  it('acknowledges nothing of a transaction that did not commit, and stores it once when the store is back', async () => {
    const outbox = new Outbox('n1');
    let crashes = 2;
    const failing: Store = Object.assign(Object.create(store) as Store, {
      transaction: <T>(work: (tx: Tx) => Promise<T>) =>
        store.transaction(async (tx) => {
          const result = await work(tx);
          if (crashes-- > 0) throw new Failure('unavailable', { code: 'database.connection', message: 'the server is gone' });
          return result;
        }),
    });
    await ingest.stop();
    start({ store: failing });
    await send(outbox.seal([reading('d1', 1), access('logs', 'a1', startMs)]));
    await ackUpto(1);
    expect(failures).toHaveLength(2);
    expect(bus.published.filter(({ name }) => name === 'ack')).toHaveLength(1);
    expect(await count('reading')).toBe(1);
  });

  it('believes session numbers, not the order of arrival', async () => {
    await bus.deliver('boot', 'n1', bootOf(new Outbox('n1')));
    const tell = (session: number, state: 'online' | 'offline') => bus.deliver('state', 'n1', { v: 1, session, state, atMs: 0 });
    const connected = () => store.db.select({ session: schema.node.session, connected: schema.node.connected }).from(schema.node);
    await tell(1, 'online');
    await tell(2, 'online');
    await tell(1, 'offline');
    await expect.poll(connected).toEqual([{ session: 2, connected: true }]);
    await tell(2, 'offline');
    await tell(2, 'online');
    await expect.poll(connected).toEqual([{ session: 2, connected: false }]);
    await tell(3, 'online');
    await expect.poll(connected).toEqual([{ session: 3, connected: true }]);
  });

  it('does not count what it heard of a retained state as a sign of life, but a batch and a question', async () => {
    await store.db.insert(schema.node).values({ nodeId: 'n1' as NodeId, siteId: 'here' as never });
    const heard = () =>
      store.db
        .select({ at: schema.node.lastHeardAtMs })
        .from(schema.node)
        .then((rows) => rows[0]!.at);
    await bus.deliver('state', 'n1', { v: 1, session: 1, state: 'online', atMs: 0 });
    await expect.poll(() => store.db.select({ connected: schema.node.connected }).from(schema.node)).toEqual([{ connected: true }]);
    expect(await heard()).toBeNull();
    await bus.deliver('ask', 'n1', { v: 1, askUid: nextUlid(), have: 5, inc: 1 });
    await expect.poll(heard).not.toBeNull();
    await expect.poll(() => asked).toEqual([['n1', 5]]);
    expect(await store.db.select({ rev: schema.node.observedRev }).from(schema.node)).toEqual([{ rev: 5 }]);
  });

  it('stores and welcomes nothing of an agent whose identity was taken away', async () => {
    await store.db.insert(schema.node).values({ nodeId: 'n1' as NodeId, siteId: 'here' as never, agentState: 'revoked' });
    await bus.deliver('boot', 'n1', bootOf(new Outbox('n1')));
    await send(new Outbox('n1').seal([reading('d1', 1)]));
    await send(new Outbox('n2').seal([reading('d2', 1)]), 'n2');
    await bus.said(({ name, identity }) => name === 'ack' && identity === 'n2');
    expect(bus.published.filter(({ identity }) => identity === 'n1')).toEqual([]);
    expect(await count('reading')).toBe(1);
  });

  it('tells a change of a device’s level, keeps an alert while it is risky, and ends it when it is well', async () => {
    const outbox = new Outbox('n1');
    const alerts = () => rowsOf(store.db, sql`select severity, times, ended_at_ms is not null as ended from alert`);
    await send(outbox.seal([seen('d1'), assessment('d1', 10, 'healthy'), assessment('d1', 20, 'at-risk')]));
    await ackUpto(1);
    expect(await alerts()).toEqual([{ severity: 'warning', times: 1, ended: false }]);
    await send(outbox.seal([assessment('d1', 30, 'failing'), assessment('d1', 31, 'unknown')]));
    await ackUpto(2);
    expect(await alerts()).toEqual([{ severity: 'error', times: 2, ended: false }]);
    await send(outbox.seal([assessment('d1', 40, 'healthy')]));
    await ackUpto(3);
    expect(await alerts()).toEqual([{ severity: 'error', times: 2, ended: true }]);
    const levels = await rowsOf<{ to: string }>(store.db, sql`select ids->>'to' as "to" from event where type = 'device.level-changed' order by seq`);
    expect(levels.map((row) => row.to)).toEqual(['healthy', 'at-risk', 'failing', 'unknown', 'healthy']);
    await expect.poll(() => changed).toEqual(['n1', 'n1', 'n1']);
    expect(await rowsOf(store.db, sql`select judge_since_ms::int as since from device`)).toEqual([{ since: 10 }]);
  });

  it('lets nothing that is late, or that another node says, stand over what is known of a device', async () => {
    const outbox = new Outbox('n1');
    const [first, late, last] = [
      outbox.seal([seen('d1')]),
      outbox.seal([assessment('d1', 20, 'failing'), reading('d1', 20)]),
      outbox.seal([assessment('d1', 30, 'healthy'), reading('d1', 30)]),
    ];
    await send(first);
    await ackUpto(1);
    await send(last);
    await send(late);
    await ackUpto(3);
    await send(new Outbox('n2').seal([assessment('d1', 50, 'failing'), reading('d1', 50)]), 'n2');
    await bus.said(({ name, identity }) => name === 'ack' && identity === 'n2');
    expect(await store.db.select({ level: schema.device.level, at: schema.device.lastReadingAtMs }).from(schema.device)).toEqual([
      { level: 'healthy', at: 30 },
    ]);
    expect(await count('reading')).toBe(3);
  });

  it('lets nothing of an older life that comes after a start stand over what is known of a device', async () => {
    const outbox = new Outbox('n1');
    const begin = async (over: Partial<BootMessage> = {}) => {
      const boot = bootOf(outbox, { lastIncarnation: outbox.inc - 1, ...over });
      await bus.deliver('boot', 'n1', boot);
      await bus.said(({ name, payload }) => name === 'welcome' && payload.bootUid === boot.bootUid);
    };
    const level = () => store.db.select({ level: schema.device.level, at: schema.device.assessedAtMs }).from(schema.device);
    await begin();
    const [first, lost, last] = [
      outbox.seal([seen('d1')]),
      outbox.seal([assessment('d1', startMs + 20, 'failing')]),
      outbox.seal([assessment('d1', startMs + 30, 'healthy')]),
    ];
    for (const batch of [first, last]) await send(batch);
    await bus.said(({ name, payload }) => name === 'ack' && (payload.holes as number[]).includes(2));
    // A minute later the agent starts again, and what was not acknowledged is placed first in its new life.
    const bootUid = ulid(startMs + 60_000, systemRandom);
    const again = outbox.restart(2, [lost, last]);
    await begin({ bootUid, lastSeq: 3 });
    for (const batch of again) await send(batch);
    await ackUpto(2, 2);
    expect(await level()).toEqual([{ level: 'healthy', at: startMs + 30 }]);
    // In the new life its own order counts, also when its clock is set back.
    await send(outbox.seal([assessment('d1', startMs + 29, 'watch')], ulid(startMs + 60_001, systemRandom)));
    await ackUpto(3, 2);
    expect(await level()).toEqual([{ level: 'watch', at: startMs + 29 }]);
    // Nor does a message of the life before that was long on its way.
    await send({ ...new Outbox('n1').seal([assessment('d1', startMs + 10, 'failing')]), seq: 4 });
    await bus.said(({ name, payload }) => name === 'ack' && payload.inc === 1 && (payload.holes as number[]).length === 1);
    await expect.poll(() => rowsOf(store.db, sql`select 1 from assessment`).then((rows) => rows.length)).toBe(4);
    expect(await level()).toEqual([{ level: 'watch', at: startMs + 29 }]);
  });

  it('goes by the order of an agent whose clock was set back', async () => {
    const outbox = new Outbox('n1');
    await send(outbox.seal([seen('d1'), assessment('d1', startMs, 'healthy')]));
    await send(outbox.seal([assessment('d1', startMs - 3_600_000, 'failing')]));
    await ackUpto(2);
    expect(await store.db.select({ level: schema.device.level }).from(schema.device)).toEqual([{ level: 'failing' }]);
  });

  it('counts accesses of agents and of clients once each, in their minutes', async () => {
    await store.db.insert(schema.dataset).values({ datasetId: 'logs' as never, owner: 'me', createdAtMs: 0 });
    const outbox = new Outbox('n1');
    await send(
      outbox.seal([
        access('logs', 'a1', startMs, 3),
        access('logs', 'a2', startMs + 59_999, 2, 'write'),
        access('logs', 'a3', startMs + 60_000),
        access('nobody', 'a4', startMs),
      ]),
    );
    const { type: _, source: __, ...bare } = access('logs', 'a3', startMs + 60_000) as { type: string; source: string };
    await bus.deliver('access', 'app', { v: 1, accesses: [bare, { ...bare, accessId: 'c1', count: 10 }] });
    await bus.deliver('access', 'app', { v: 1, accesses: [{ ...bare, accessId: 'c1', count: 10 }] });
    await expect
      .poll(() => rowsOf(store.db, sql`select window_start_ms as start, reads, writes, read_bytes as bytes from access_aggregate order by 1`))
      .toEqual([
        { start: startMs, reads: 3, writes: 2, bytes: 300 },
        { start: startMs + 60_000, reads: 11, writes: 0, bytes: 200 },
      ]);
    expect(await store.db.select({ at: schema.dataset.lastAccessAtMs }).from(schema.dataset)).toEqual([{ at: startMs + 60_000 }]);
  });

  it('adds up what the agents with a copy tell of a dataset’s use, each by its last word', async () => {
    await store.db.insert(schema.dataset).values({ datasetId: 'logs' as never, owner: 'me', createdAtMs: 0 });
    for (const [nodeId, targetId] of [
      ['n1', 't1'],
      ['n2', 't2'],
    ] as const) {
      await store.db.insert(schema.target).values({ targetId: targetId as never, nodeId: nodeId as NodeId, description: {} as never });
      await store.db
        .insert(schema.replica)
        .values({ replicaId: `r-${nodeId}` as never, datasetId: 'logs' as never, targetId: targetId as never, state: 'verified', createdAtMs: 0 });
    }
    const ewma = (accessesPerHour: number) => ({ type: 'ewma', datasetId: 'logs', atMs: startMs, accessesPerHour }) as never;
    const [one, two, other] = [new Outbox('n1'), new Outbox('n2'), new Outbox('n3')];
    const rate = async (outbox: Outbox, ...perHour: number[]) => {
      bus.published.length = 0;
      await send(outbox.seal(perHour.map(ewma)), outbox.nodeId);
      await bus.said(({ name, identity, payload }) => name === 'ack' && identity === outbox.nodeId && payload.upto === outbox.seq);
      return (await loadSnapshot(store)).datasets[0]!.ewmaPerHour;
    };
    expect(await rate(one, 3, 12)).toBe(12);
    expect(await rate(two, 0)).toBe(12);
    expect(await rate(two, 5)).toBe(17);
    expect(await rate(one, 10)).toBe(15);
    // Who has no copy sees nobody read; and what left with a copy is counted no more.
    expect(await rate(other, 100)).toBe(15);
    await store.db.delete(schema.replica).where(eq(schema.replica.replicaId, 'r-n1' as never));
    expect(await rate(two, 5)).toBe(5);
    await store.db.delete(schema.replica);
    expect((await loadSnapshot(store)).datasets[0]!.ewmaPerHour).toBe(0);
  });

  it('keeps targets with the node that declared them first, and notes those that are withdrawn', async () => {
    const target = (targetId: string) => ({
      targetId,
      store: 'posix' as const,
      root: '/data',
      tier: 'hot' as const,
      locationKind: 'on-premises' as const,
      provider: 'p',
      region: 'r',
      failureDomain: 'f',
      encryptedAtRest: false,
      priceClass: 'c',
      capacityBytes: null,
      reserveBytes: 0,
      deviceIds: [],
      addedLatencyMs: 0,
    });
    const boot = async (node: string, targets: string[]) => {
      const message = bootOf(new Outbox(node), { targets: targets.map(target) as never });
      await bus.deliver('boot', node, message);
      await bus.said(({ name, payload }) => name === 'welcome' && payload.bootUid === message.bootUid);
      return rowsOf(store.db, sql`select target_id as target, node_id as node, state from target order by 1`);
    };
    await boot('n1', ['t1', 't2']);
    expect(await boot('n2', ['t1', 't3'])).toEqual([
      { target: 't1', node: 'n1', state: 'ok' },
      { target: 't2', node: 'n1', state: 'ok' },
      { target: 't3', node: 'n2', state: 'ok' },
    ]);
    expect(await boot('n1', ['t1'])).toContainEqual({ target: 't2', node: 'n1', state: 'lost' });
    expect(await boot('n1', ['t1', 't2'])).toContainEqual({ target: 't2', node: 'n1', state: 'ok' });
    const claims = () => store.db.select({ ended: schema.alert.endedAtMs }).from(schema.alert).where(eq(schema.alert.rule, 'target-claimed-twice'));
    expect(await claims()).toEqual([{ ended: null }]);
    await boot('n2', ['t3']);
    expect(await claims()).toEqual([{ ended: expect.any(Number) }]);
    await boot('n2', ['t1']);
    await store.db
      .update(schema.node)
      .set({ agentState: 'revoked' })
      .where(eq(schema.node.nodeId, 'n2' as NodeId));
    await store.transaction((tx) => endSettledAlerts(tx, 1));
    expect(await claims()).toEqual([{ ended: expect.any(Number) }, { ended: 1 }]);
  });

  it('tells a person of an agent that starts again and again', async () => {
    for (let i = 0; i < 4; i++) await bus.deliver('boot', 'n1', bootOf(new Outbox('n1'), { lastIncarnation: i }));
    await expect.poll(() => rowsOf(store.db, sql`select rule from alert`)).toEqual([{ rule: 'agent-flapping' }]);
  });
});
