import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chainAfter, chainStart } from '@data-in-motion/shared/chain';
import { ManualClock } from '@data-in-motion/shared/clock';
import type { Failure } from '@data-in-motion/shared/failure';
import { type BatchMessage, batchMessage, batchRecords } from '@data-in-motion/shared/protocol/messages';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import { seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { type Journal, openJournal } from './journal.ts';
import { openMeta } from './meta.ts';
import { type Outbox, type OutboxSettings, openOutbox, outboxDefaults } from './outbox.ts';
import { type OutboxRows, openOutboxRows, type SealedBatch } from './outbox-rows.ts';

let directory: string;
let journal: Journal;
let clock: ManualClock;
let rows: OutboxRows;
let toldFull: Failure[];
const random = seededRandom(1);

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-outbox-'));
  journal = openJournal(path.join(directory, 'agent.db'), noBallast);
  clock = new ManualClock();
  toldFull = [];
});
afterEach(() => {
  journal.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(settings: Partial<OutboxSettings> = {}): Outbox {
  const meta = openMeta(journal);
  rows = openOutboxRows(journal, meta);
  return openOutbox({
    journal,
    meta,
    rows,
    ballast: noBallast,
    clock,
    random,
    failpoint: () => {},
    onFull: (failure) => void toldFull.push(failure),
    settings: { ...outboxDefaults, ...settings },
  });
}

function note(message: string): AgentRecord {
  return { type: 'note', atMs: 1, severity: 'info', code: 'test', message, ids: {} };
}

function stats(atMs: number, targetId = 'disk-1'): AgentRecord {
  const figures = {
    capacityBytes: 1,
    usedBytes: 0,
    freeBytes: 1,
    latencyP50Ms: null,
    latencyP95Ms: null,
    latencyP99Ms: null,
    readBytesPerSec: null,
    writeBytesPerSec: null,
  };
  return { type: 'target-stats', targetId, atMs, reachable: true, unreachableBecause: null, ...figures } as AgentRecord;
}

const recordsOf = (batches: readonly SealedBatch[]): AgentRecord[] => batches.flatMap(({ records }) => batchRecords.parse(JSON.parse(records)));
const all = (): SealedBatch[] => rows.undelivered(0, 10_000);

test('records told now are committed when it returns, with those told before them', () => {
  const outbox = open();
  outbox.tell([note('first')]);
  expect(all()).toEqual([]);
  outbox.tell([note('second')], 'now');
  expect(recordsOf(all()).map((record) => 'message' in record && record.message)).toEqual(['first', 'second']);
});

test('records told soon are sealed after two seconds', async () => {
  const outbox = open();
  outbox.tell([note('a')]);
  await clock.advance(1_999);
  expect(all()).toHaveLength(0);
  outbox.tell([note('b')]);
  await clock.advance(2);
  expect(recordsOf(all())).toHaveLength(2);
  outbox.tell([note('c')]);
  await clock.advance(2_001);
  expect(all()).toHaveLength(2);
});

test('a batch holds at most 64 KiB of records and fits its message', () => {
  const outbox = open();
  outbox.tell(
    Array.from({ length: 3_000 }, (_, i) => note(`number ${i} ${'"\\ü'.repeat(20)}`)),
    'now',
  );
  const batches = all();
  expect(recordsOf(batches)).toHaveLength(3_000);
  for (const batch of batches) {
    expect(Buffer.byteLength(batch.records)).toBeLessThanOrEqual(64 * 1024 + 2);
    const { uid, inc, seq, prevChain, chain, sealedAtMs, records } = batch;
    expect(batchMessage.safeParse({ v: 1, uid, inc, seq, prevChain, chain, sealedAtMs, records } satisfies BatchMessage).success).toBe(true);
  }
});

test('a record that its own schema refuses becomes a note instead of spoiling its batch', () => {
  const outbox = open();
  outbox.tell([note('fine'), { ...stats(1), capacityBytes: Number.NaN } as AgentRecord, note('x'.repeat(2_000))], 'now');
  expect(recordsOf(all()).map((record) => ('code' in record ? record.code : record.type))).toEqual(['test', 'record.unsendable', 'test']);
});

test('numbers and chain go on over a restart', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 10 }), (tellings) => {
      journal.close();
      rmSync(directory, { recursive: true });
      journal = openJournal(path.join(directory, 'agent.db'), noBallast);
      for (const messages of tellings) {
        open().tell(messages.map(note), 'now');
        journal.close();
        journal = openJournal(path.join(directory, 'agent.db'), noBallast);
      }
      open();
      let chain = chainStart;
      for (const [i, batch] of all().entries()) {
        expect(batch.seq).toBe(i + 1);
        expect(batch.prevChain).toBe(chain);
        chain = chainAfter(chain, batch.records);
        expect(batch.chain).toBe(chain);
      }
    }),
    { numRuns: 10 },
  );
});

test('only durable batches are pruned, and those not before their time', () => {
  const outbox = open({ keepMs: 10_000 });
  for (const message of ['a', 'b', 'c']) outbox.tell([note(message)], 'now');
  rows.markStored(0, 3);
  rows.markDurable(0, 2);
  const kept = (): number => (journal.db.prepare('select count(*) as n from outbox').get() as { n: number }).n;
  outbox.tidy();
  expect(kept()).toBe(3);
  void clock.advance(10_001);
  outbox.tidy();
  expect(kept()).toBe(1);
  expect(all()).toHaveLength(1);
});

test('durable batches beyond the size to keep go, oldest first', () => {
  const outbox = open({ keepBytes: 5_000 });
  for (let i = 0; i < 10; i++) outbox.tell([note('x'.repeat(1_000))], 'now');
  rows.markDurable(0, 10);
  outbox.tidy();
  expect(journal.db.prepare('select min(seq) as first, max(seq) as last from outbox').get()).toEqual({ first: 7, last: 10 });
});

test('over its quota the outbox thins samples to one a minute, keeps what happened once, and says what is gone', () => {
  const outbox = open({ quotaBytes: 100_000 });
  for (let minute = 0; minute < 40; minute++) {
    outbox.tell([...Array.from({ length: 30 }, (_, i) => stats(minute * 60_000 + i * 2_000)), note(`minute ${minute}`)], 'now');
  }
  const before = recordsOf(all()).length;
  outbox.tidy();
  expect(rows.undeliveredBytes()).toBeLessThan(100_000);
  const left = recordsOf(all());
  expect(left.filter(({ type }) => type === 'note')).toHaveLength(40);
  expect(left.filter(({ type }) => type === 'target-stats').length).toBeGreaterThanOrEqual(40);
  const gap = left.find(({ type }) => type === 'gap');
  expect(gap).toMatchObject({ fromSeq: 1, records: before + 1 - left.length });
  expect(openMeta(journal).read().renumber).toBe(true);
  const { seq } = rows.numberAnew(1);
  expect(all().map((batch) => batch.seq)).toEqual(Array.from({ length: seq }, (_, i) => i + 1));
});

test('when thinning is not enough the oldest batches go whole', () => {
  const outbox = open({ quotaBytes: 20_000 });
  for (let i = 0; i < 50; i++) outbox.tell([note(`${i} ${'x'.repeat(1_000)}`)], 'now');
  outbox.tidy();
  expect(rows.undeliveredBytes()).toBeLessThan(20_000);
  expect(recordsOf(all()).at(-2)).toMatchObject({ message: expect.stringMatching(/^49 /) });
  expect(recordsOf(all()).at(-1)).toMatchObject({ type: 'gap', fromSeq: 1 });
});

test('what is told after the end waits for nothing that is gone', async () => {
  const outbox = open();
  outbox.close();
  journal.close();
  outbox.tell([note('too late')]);
  outbox.tell(Array.from({ length: 40 }, () => note('x'.repeat(2_000))));
  await clock.advance(60_000);
  journal = openJournal(path.join(directory, 'agent.db'), noBallast);
  open();
  expect(recordsOf(all())).toEqual([]);
});

test('on a full disk the ballast makes room, and without one the teller hears of it', () => {
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  let free = false;
  let ballasts = 1;
  const release = (): boolean => {
    free ||= ballasts > 0;
    return ballasts-- > 0;
  };
  journal.close();
  journal = openJournal(path.join(directory, 'agent.db'), { restore: () => true, release });
  const outbox = open();
  const add = rows.add;
  rows.add = (...batch) => {
    if (!free) throw full;
    add(...batch);
  };
  outbox.tell([note('saved by the ballast')], 'now');
  free = false;
  expect(() => outbox.tell([note('refused')], 'now')).toThrow(/full/);
  outbox.tell([note('waits')]);
  free = true;
  outbox.tell([], 'now');
  expect(recordsOf(all()).map((record) => 'message' in record && record.message)).toEqual(['saved by the ballast', 'waits']);
});

test('a full disk is told once, whoever found it, and again only when it was written to meanwhile', async () => {
  const outbox = open();
  const add = rows.add;
  const fillDisk = (): void => {
    rows.add = () => {
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    };
  };
  fillDisk();
  for (const message of ['a', 'b']) {
    outbox.tell([note(message)]);
    await clock.advance(2_001);
  }
  expect(() => outbox.tell([note('refused')], 'now')).toThrow(/full/);
  expect(toldFull).toMatchObject([{ code: 'journal.disk-full', hint: expect.any(String) }]);
  rows.add = add;
  outbox.tell([], 'now');
  expect(recordsOf(all())).toHaveLength(2);
  fillDisk();
  expect(() => outbox.tell([note('refused')], 'now')).toThrow(/full/);
  expect(toldFull).toHaveLength(2);
});
