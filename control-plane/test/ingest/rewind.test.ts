import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import type { AckMessage } from '@data-in-motion/shared/protocol/messages';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { type Ingest, startIngest } from '../../src/ingest/ingest.ts';
import { openStore, rowsOf, type Store } from '../../src/store/database.ts';
import { freshDirectory } from '../empty-database.ts';
import { Outbox, reading, TestBus } from './outbox.ts';

const quiet = { onBoot: async () => {}, onAsk: () => {}, onJobsChanged: () => {}, onFailure: () => {} };
const startOn = (store: Store, bus: TestBus): Ingest => startIngest({ store, bus, clock: systemClock, publicKeyPem: '', ...quiet });
const acked = async (bus: TestBus, upto: number): Promise<AckMessage> =>
  (await bus.said(({ name, payload }) => name === 'ack' && payload.upto === upto)).payload as AckMessage;

it('a host that loses power loses nothing that its agents still hold: they send again what no export had', async () => {
  const before = await freshDirectory();
  const after = mkdtempSync(join(tmpdir(), 'dim-store-'));
  const outbox = new Outbox('n1');
  const batches = Array.from({ length: 6 }, (_, i) => outbox.seal([reading('d1', i)]));

  const store = await openStore({ databaseUrl: null, directory: before });
  const bus = new TestBus();
  const ingest = startOn(store, bus);
  for (const batch of batches.slice(0, 3)) await bus.deliver('batch', 'n1', batch);
  await acked(bus, 3);
  await store.makeDurable();
  await bus.said(({ name, payload }) => name === 'ack' && payload.durableUpto === 3);
  for (const batch of batches.slice(3)) await bus.deliver('batch', 'n1', batch);
  const lastAck = await acked(bus, 6);
  expect(lastAck.durableUpto).toBe(3);
  // The power goes: of the directory only the flushed export is left.
  cpSync(join(before, 'export.tar'), join(after, 'export.tar'));
  await ingest.stop();
  await store.close();

  const restored = await openStore({ databaseUrl: null, directory: after });
  const newBus = new TestBus();
  const newIngest = startOn(restored, newBus);
  expect(restored.storeEpoch).not.toBe(lastAck.storeEpoch);
  // An agent that sees another epoch sends again all above what was durable; one batch earlier for good measure.
  for (const batch of batches.slice(lastAck.durableUpto - 1)) await newBus.deliver('batch', 'n1', batch);
  expect(await acked(newBus, 6)).toMatchObject({ storeEpoch: restored.storeEpoch, chainAtUpto: outbox.chain, holes: [] });
  expect(await rowsOf(restored.db, sql`select at_ms as at, count(*)::int as times from reading group by 1 order by 1`)).toEqual(
    batches.map((_, at) => ({ at, times: 1 })),
  );
  await newIngest.stop();
  await restored.close();
  rmSync(before, { recursive: true });
  rmSync(after, { recursive: true });
}, 120_000);
