import { cpSync, existsSync } from 'node:fs';
import path from 'node:path';
import { targetView } from '@data-in-motion/shared/api/fleet';
import { consistencyView } from '@data-in-motion/shared/api/operations';
import { systemClock } from '@data-in-motion/shared/clock';
import { agentRecord, type RecordOf } from '@data-in-motion/shared/protocol/records';
import { randomInt, seededRandom } from '@data-in-motion/shared/random';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../control-plane/src/store/database.ts';
import { batch, reading } from '../../../control-plane/src/store/schema.ts';
import type { MosquittoServer } from '../../../control-plane/test/servers.ts';
import { until } from './asking.ts';
import { closeStages, describeEveryWay, openStage, type Stage, startMs } from './stage.ts';

/** Nobody takes what the agents tell: embedded, control plane and broker die as one; with servers of their own the broker is away alone, for half a minute. */

const kills = { embedded: 4, outside: 2 } as const;
const silenceMs = { embedded: 8_000, outside: 30_000 } as const;
/** A batch is sealed at the latest three seconds after its first record. */
const sealedWithinMs = 4_000;
let stage: Stage;

describeEveryWay((servers) => {
  beforeAll(async () => {
    // A day every 0.4 s: each drive is read two or three times a second.
    stage = await openStage('telemetry', { servers, secondsPerDay: 0.4 });
  }, startMs);
  afterAll(closeStages, startMs);

  test('after kills in the middle of commits and a long silence the database holds exactly the readings that the agents took', {
    timeout: 300_000,
  }, async () => {
    const { fleet } = stage;
    const random = seededRandom(stage.seed);
    for (let kill = 0; kill < kills[servers]; kill++) {
      await until('the control plane', 60, async () => ((await fleet.api.isReady()) ? true : undefined));
      await systemClock.sleep(randomInt(random, 50, 1_500));
      await fleet.killControlPlane();
    }
    if (stage.outside === undefined) await withoutControlPlane();
    else await withoutBroker(stage.outside.mosquitto);
    await fleet.untilReady();
    const calmAtMs = Date.now();
    await until('every batch to be stored', 60, async (seen) => {
      const { streams } = await fleet.api.call('consistency', consistencyView);
      const targets = (await fleet.api.list('targets', targetView)).items;
      seen(streams.map((one) => `${one.nodeId} ${one.watermark} of ${one.highestSeen}, ${one.holes} holes`).join(', '));
      // The oldest is told first: of an agent that has told what it measured after the calm, all that was before is stored.
      const toldUntilMs = (nodeId: string): number => Math.max(0, ...targets.filter((one) => one.nodeId === nodeId).map((one) => one.measuredAtMs ?? 0));
      return streams.length === 3 &&
        streams.every((one) => one.holes === 0 && one.watermark === one.highestSeen && toldUntilMs(one.nodeId) > calmAtMs + sealedWithinMs)
        ? streams
        : undefined;
    });
    await fleet.stopControlPlane('killed');
    for (const nodeId of fleet.nodeIds) await fleet.stopNode(nodeId, 'killed');

    const stored = await storedIn(stage);
    const taken = fleet.nodeIds.map((nodeId) => journalOf(stage, nodeId));
    const batches = taken.flat();
    const uids = new Set(batches.map((one) => one.uid));
    expect(
      stored.batchUids.filter((uid) => !uids.has(uid)),
      'batches that no agent made',
    ).toEqual([]);
    expect(new Set(stored.batchUids).size, 'batches stored once').toBe(stored.batchUids.length);
    const known = new Set(stored.batchUids);
    const missing = batches.filter((one) => !known.has(one.uid));
    expect(
      missing.filter((one) => one.state !== 'open').map((one) => one.uid),
      'acknowledged, but not stored',
    ).toEqual([]);
    expect(
      missing.filter((one) => one.sealedAtMs < calmAtMs).map((one) => one.uid),
      'told before the calm, but not stored',
    ).toEqual([]);

    const wanted = batches.filter((one) => known.has(one.uid)).flatMap((one) => one.readings.map((record) => keyOf({ ...record, batchUid: one.uid })));
    expect(wanted.length).toBeGreaterThan(100);
    expect(stored.readings.map(keyOf).sort()).toEqual(wanted.sort());
  });
});

async function withoutControlPlane(): Promise<void> {
  const { fleet } = stage;
  await fleet.stopControlPlane('killed');
  await systemClock.sleep(silenceMs.embedded);
  await fleet.kill('frankfurt');
  fleet.startControlPlane();
}

/** The control plane stays up and answers, the agents go on reading, and one of them dies with all that it could not tell. */
async function withoutBroker(mosquitto: MosquittoServer): Promise<void> {
  const { fleet } = stage;
  await until('the control plane', 60, async () => ((await fleet.api.isReady()) ? true : undefined));
  const living = ['control-plane', 'berlin', 'virginia'].map((name) => fleet.processId(name));
  await mosquitto.kill();
  await systemClock.sleep(silenceMs.outside / 2);
  await fleet.kill('frankfurt');
  await systemClock.sleep(silenceMs.outside / 2);
  expect((await fleet.api.call('consistency', consistencyView)).streams).toHaveLength(3);
  await mosquitto.start();
  expect(['control-plane', 'berlin', 'virginia'].map((name) => fleet.processId(name))).toEqual(living);
}

interface TakenBatch {
  readonly uid: string;
  readonly state: string;
  readonly sealedAtMs: number;
  readonly readings: readonly RecordOf<'reading'>[];
}

/** What the journal of a dead agent holds. */
function journalOf({ fleet, scratch }: Stage, nodeId: string): TakenBatch[] {
  const directory = path.join(scratch, nodeId);
  const state = path.join(fleet.home.agent(nodeId), 'state');
  // An agent that was killed right after a checkpoint at its start has no log beside its file.
  for (const name of ['agent.db', 'agent.db-wal']) if (existsSync(path.join(state, name))) cpSync(path.join(state, name), path.join(directory, name));
  const journal = new Database(path.join(directory, 'agent.db'));
  try {
    const rows = journal.prepare('select uid, state, sealed_at_ms, records from outbox join outbox_records using (position)').all() as {
      uid: string;
      state: string;
      sealed_at_ms: number;
      records: string;
    }[];
    return rows.map((row) => ({
      uid: row.uid,
      state: row.state,
      sealedAtMs: row.sealed_at_ms,
      readings: agentRecord
        .array()
        .parse(JSON.parse(row.records))
        .filter((record): record is RecordOf<'reading'> => record.type === 'reading'),
    }));
  } finally {
    journal.close();
  }
}

/** The dead control plane's database; the embedded one is opened as a copy. */
async function storedIn({ fleet, scratch, outside }: Stage): Promise<{ batchUids: string[]; readings: (typeof reading.$inferSelect)[] }> {
  const directory = path.join(scratch, 'database');
  if (outside === undefined) cpSync(path.join(fleet.home.directory, 'database'), directory, { recursive: true, filter: (name) => !name.endsWith('.lock') });
  const store = await openStore({ databaseUrl: outside?.postgres.url ?? null, directory });
  try {
    const rows = await store.db.select({ uid: batch.uid }).from(batch);
    return { batchUids: rows.map((row) => row.uid), readings: await store.db.select().from(reading) };
  } finally {
    await store.close();
  }
}

type Kept = Pick<typeof reading.$inferSelect, 'deviceId' | 'atMs' | 'recordedDay' | 'status' | 'temperatureCelsius' | 'powerOnHours' | 'smart' | 'batchUid'>;

function keyOf(one: Kept | (RecordOf<'reading'> & { batchUid: string })): string {
  const smart = Object.entries(one.smart).sort(([a], [b]) => Number(a) - Number(b));
  return JSON.stringify([one.batchUid, one.deviceId, one.atMs, one.recordedDay, one.status, one.temperatureCelsius, one.powerOnHours, smart]);
}
