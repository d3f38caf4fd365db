import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chainStart } from '@data-in-motion/shared/chain';
import type { AckMessage } from '@data-in-motion/shared/protocol/messages';
import { seededRandom } from '@data-in-motion/shared/random';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { type Meta, openMeta } from '../journal/meta.ts';
import { type OutboxRows, openOutboxRows } from '../journal/outbox-rows.ts';
import { Delivery, deliveryDefaults } from './delivery.ts';

let directory: string;
let journal: Journal;
let meta: Meta;
let rows: OutboxRows;
let delivery: Delivery;
const random = seededRandom(1);

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-delivery-'));
  journal = openJournal(path.join(directory, 'agent.db'), noBallast);
  meta = openMeta(journal);
  rows = openOutboxRows(journal, meta);
  delivery = new Delivery({ journal, meta, rows, random, settings: { ...deliveryDefaults, window: 3 } }, 0);
});
afterEach(() => {
  journal.close();
  rmSync(directory, { recursive: true, force: true });
});

function welcome(incarnation: number, storeEpoch = 'first', watermark = 0): string {
  return delivery.onWelcome({ bootUid: delivery.boot()?.bootUid ?? '', incarnation, storeEpoch, watermark, publicKeyPem: 'key' });
}

let sealed = 0;
function seal(count: number): void {
  for (let i = 0; i < count; i++) rows.add(`01ARZ3NDEKTSV4RRFFQ69G${String(++sealed).padStart(4, '0')}`, `[${sealed}]`, 1);
}

function ack(upto: number, change: Partial<AckMessage> = {}): AckMessage {
  const inc = meta.read().incarnation;
  return { v: 1, inc, upto, chainAtUpto: rows.chainAt(inc, upto) ?? chainStart, holes: [], storeEpoch: 'first', durableUpto: 0, ...change };
}

const dueSeqs = (nowMs: number): number[] => delivery.due(nowMs).map(({ seq }) => seq);

test('nothing is sent before the welcome, and then the oldest few', () => {
  seal(5);
  expect(dueSeqs(0)).toEqual([]);
  expect(welcome(1)).toBe('welcomed');
  expect(dueSeqs(0)).toEqual([1, 2, 3]);
  expect(dueSeqs(1)).toEqual([]);
});

test('says when there is something to do: nothing without a batch, else when one is sent again or the agent boots again', () => {
  seal(2);
  delivery.due(0);
  expect(delivery.dueAtMs).toBeNull();
  welcome(1);
  expect(dueSeqs(10)).toEqual([1, 2]);
  const againAtMs = delivery.dueAtMs!;
  expect(againAtMs).toBe(10 + 2 * deliveryDefaults.firstAckDelayMs);
  expect(dueSeqs(againAtMs - 1)).toEqual([]);
  expect(dueSeqs(againAtMs)).toEqual([1, 2]);
  expect(delivery.onAck(ack(2), againAtMs)).toBe('taken');
  expect(dueSeqs(againAtMs + 1)).toEqual([]);
  expect(delivery.dueAtMs).toBeNull();
  // Nobody answers: looked at whenever it says, it boots again when it said it would.
  seal(1);
  let [nowMs, looks] = [1_000_000, 0];
  for (; delivery.boot() === null && looks < 100; looks++) {
    delivery.due(nowMs);
    nowMs = delivery.dueAtMs ?? nowMs;
  }
  expect(nowMs).toBe(1_000_000 + deliveryDefaults.bootAfterSilenceMs);
  expect(looks).toBeLessThan(12);
});

test('a start is named after all that was sealed before it and before all that is sealed after it, though the clock is put back', () => {
  const nameAt = (nowMs: number): string => {
    const uid = rows.nextUid(nowMs, random);
    rows.add(uid, '[]', nowMs);
    return uid;
  };
  const before = nameAt(9_000_000);
  rows = openOutboxRows(journal, meta);
  delivery = new Delivery({ journal, meta, rows, random, settings: deliveryDefaults }, 5_000_000);
  const names = [before, delivery.boot()!.bootUid, nameAt(4_000_000)];
  welcome(1);
  delivery.bootAgain(1);
  names.push(delivery.boot()!.bootUid, nameAt(0));
  const times = names.map((uid) => uid.slice(0, 10));
  expect([...new Set(times)].sort()).toEqual(times);
});

test('acknowledged batches make room for the next, and a hole is sent again at once', () => {
  welcome(1);
  seal(6);
  dueSeqs(0);
  expect(delivery.onAck(ack(1, { holes: [2] }), 10)).toBe('taken');
  expect(dueSeqs(11)).toEqual([2, 4]);
});

test('what is not acknowledged is sent again after twice the usual delay, then ever later', () => {
  welcome(1);
  seal(1);
  const sentAtMs: number[] = [];
  for (let nowMs = 0; nowMs < 40_000; nowMs += 100) if (dueSeqs(nowMs).length > 0) sentAtMs.push(nowMs);
  expect(sentAtMs).toEqual([0, 2_000, 6_000, 14_000, 30_000]);
});

test('the delay is learned from acknowledgements', () => {
  welcome(1);
  for (let i = 1; i <= 40; i++) {
    seal(1);
    dueSeqs(i * 1_000);
    delivery.onAck(ack(i), i * 1_000 + 200);
  }
  seal(1);
  expect(dueSeqs(100_000)).toEqual([41]);
  expect(dueSeqs(100_390)).toEqual([]);
  expect(dueSeqs(100_450)).toEqual([41]);
});

test('when nobody acknowledges for two minutes the agent boots again', () => {
  welcome(1);
  seal(1);
  dueSeqs(0);
  expect(delivery.boot()).toBeNull();
  dueSeqs(120_001);
  expect(delivery.boot()).toMatchObject({ lastIncarnation: 1, lastSeq: 1 });
});

test('an acknowledgement for another incarnation changes nothing', () => {
  welcome(1);
  seal(2);
  dueSeqs(0);
  expect(delivery.onAck(ack(2, { inc: 7 }), 1)).toBe('not-ours');
  expect(rows.oldestOpen(5)).toHaveLength(2);
});

test('another store epoch makes the agent boot again and send what was stored but not durable', () => {
  welcome(1);
  seal(4);
  dueSeqs(0);
  delivery.onAck(ack(3, { durableUpto: 1 }), 1);
  expect(delivery.onAck(ack(1, { storeEpoch: 'second' }), 2)).toBe('store-changed');
  expect(welcome(2, 'second', 1)).toBe('welcomed');
  expect(rows.oldestOpen(9).map(({ seq, records }) => [seq, records])).toEqual([2, 3, 4].map((n, i) => [i + 1, `[${sealed - 4 + n}]`]));
});

test('a store that comes back without what it called durable gets that too, as far as it is kept', () => {
  welcome(1);
  seal(4);
  delivery.onAck(ack(4, { durableUpto: 4 }), 1);
  delivery.bootAgain(2);
  welcome(2, 'second', 2);
  expect(rows.oldestOpen(9)).toHaveLength(2);
});

test.each([
  ['another chain', { chainAtUpto: 'f'.repeat(64) }],
  ['a number that was never used', { upto: 9 }],
])('an acknowledgement with %s shows a forked history: the agent boots again and keeps every uid', (_, change) => {
  welcome(1);
  seal(2);
  const uids = rows.oldestOpen(9).map(({ uid }) => uid);
  expect(delivery.onAck(ack(2, change), 1)).toBe('forked');
  expect(dueSeqs(5)).toEqual([]);
  welcome(2);
  expect(rows.oldestOpen(9).map(({ uid }) => uid)).toEqual(uids);
});

test('a welcome that answers another boot, or gives an incarnation that is not new, is not taken', () => {
  expect(delivery.onWelcome({ bootUid: 'another', incarnation: 1, storeEpoch: 'first', watermark: 0, publicKeyPem: 'key' })).toBe('not-ours');
  welcome(3);
  delivery.bootAgain(1);
  expect(welcome(3)).toBe('incarnation-not-new');
  expect(welcome(4)).toBe('welcomed');
  expect(welcome(5)).toBe('not-ours');
});

test('after the link was down everything open is sent at once', () => {
  welcome(1);
  seal(2);
  dueSeqs(0);
  delivery.onLinkUp();
  expect(dueSeqs(1)).toEqual([1, 2]);
});
