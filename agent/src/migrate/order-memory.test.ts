import { ManualClock } from '@data-in-motion/shared/clock';
import type { DesiredDocument, OrderOf } from '@data-in-motion/shared/protocol/messages';
import { beforeEach, expect, test } from 'vitest';
import { OrderMemory } from './order-memory.ts';

const minuteMs = 60_000;
let clock: ManualClock;
let memory: OrderMemory;
beforeEach(() => {
  clock = new ManualClock();
  memory = new OrderMemory(clock, minuteMs);
});

const document = (parts: Partial<Pick<DesiredDocument, 'orders' | 'watched'>> = {}) => ({ orders: [], watched: [], ...parts }) as unknown as DesiredDocument;
const retire = { kind: 'retire', permitId: 'permit', validForMs: 100_000 } as OrderOf<'retire'>;

test('the end of some work is told again once in a while, and at once when it left the document and came back', async () => {
  expect(memory.mayTellAgain('work')).toBe(true);
  await clock.advance(minuteMs - 1);
  expect(memory.mayTellAgain('work')).toBe(false);
  expect(memory.mayTellAgain('other work')).toBe(true);
  memory.forgetExcept(document(), new Set(['work']));
  expect(memory.mayTellAgain('work')).toBe(false);
  memory.forgetExcept(document(), new Set());
  expect(memory.mayTellAgain('work')).toBe(true);
  await clock.advance(minuteMs);
  expect(memory.mayTellAgain('work')).toBe(true);
});

test('a reason to wait is new once, and again after another one or when its work left the document', () => {
  const isNew = (because: string): boolean => memory.isNewReason('work', because);
  expect([isNew('open in vim'), isNew('open in vim'), isNew('open in less'), isNew('open in vim')]).toEqual([true, false, true, true]);
  memory.forgetExcept(document(), new Set(['work']));
  expect(isNew('open in vim')).toBe(false);
  memory.forgetExcept(document(), new Set());
  expect(isNew('open in vim')).toBe(true);
});

test('the time of a permit runs from when it was first seen, until it left the document', async () => {
  memory.see(retire);
  const { validUntilMs } = memory.permitOf(retire);
  await clock.advance(minuteMs);
  memory.forgetExcept(document({ orders: [retire] }), new Set());
  memory.see(retire);
  expect(memory.permitOf(retire).validUntilMs).toBe(validUntilMs);
  memory.forgetExcept(document(), new Set());
  memory.see(retire);
  expect(memory.permitOf(retire).validUntilMs).toBe(validUntilMs + minuteMs);
});

test('the mover’s own read of a copy is remembered for an hour, and of a watched copy for as long as it is watched', async () => {
  const watched = document({ watched: [{ replicaId: 'watched' }] as unknown as DesiredDocument['watched'] });
  const readAtMs = clock.nowMs();
  for (const replicaId of ['watched', 'unwatched']) memory.noteOwnRead(replicaId);
  await clock.advance(60 * minuteMs);
  memory.forgetExcept(watched, new Set());
  expect(memory.lastOwnReadAtMs('unwatched')).toBe(readAtMs);
  await clock.advance(1);
  memory.forgetExcept(watched, new Set());
  expect(memory.lastOwnReadAtMs('unwatched')).toBe(null);
  expect(memory.lastOwnReadAtMs('watched')).toBe(readAtMs);
  memory.forgetExcept(document(), new Set());
  expect(memory.lastOwnReadAtMs('watched')).toBe(null);
});
