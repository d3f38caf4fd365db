import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { expect, test } from 'vitest';
import { driveOutcomes, type HeardDrive } from './drive-outcomes.ts';

const hourMs = 3_600_000;
const settings = { graceMs: 24 * hourMs, riskyWithinMs: 30 * 24 * hourMs };
const deviceId = 'd' as DeviceId;
const at = 1_000 * hourMs;
const silent: HeardDrive = { deviceId, isUnreadable: false, answeredAtMs: at, othersAnsweredAtMs: at, riskyAtMs: null, known: null };
const said = (change: Partial<HeardDrive>) => driveOutcomes([{ ...silent, ...change }], settings).map(({ outcome, how, atMs }) => [outcome, how, atMs]);

test('a drive that was risky and stops answering failed, at the moment it answered last', () => {
  expect(said({ isUnreadable: true, riskyAtMs: at - hourMs })).toEqual([['failed', 'died', at]]);
  expect(said({ isUnreadable: true, riskyAtMs: at - 40 * 24 * hourMs })).toEqual([]);
  expect(said({ riskyAtMs: at - hourMs })).toEqual([]);
});

test('any other has the grace time, and only the answers of others on its node count against it', () => {
  expect(said({ isUnreadable: true })).toEqual([]);
  expect(said({ isUnreadable: true, othersAnsweredAtMs: at + 23 * hourMs })).toEqual([]);
  expect(said({ othersAnsweredAtMs: at + 24 * hourMs })).toEqual([['failed', 'died', at]]);
  expect(said({ isUnreadable: true, othersAnsweredAtMs: null })).toEqual([]);
});

test('one that was never heard is not dead', () => {
  expect(said({ answeredAtMs: null, isUnreadable: true, othersAnsweredAtMs: at })).toEqual([]);
});

test('one that was taken for dead and answers is alive, and may die again', () => {
  const dead = { outcome: 'failed', how: 'died', atMs: at } as const;
  expect(said({ known: dead })).toEqual([]);
  expect(said({ known: dead, answeredAtMs: at + hourMs, isUnreadable: true })).toEqual([]);
  expect(said({ known: dead, answeredAtMs: at + hourMs })).toEqual([['alive', 'answers', at + hourMs]]);
  const alive = { outcome: 'alive', how: 'answers', atMs: at } as const;
  expect(said({ known: alive })).toEqual([]);
  expect(said({ known: alive, othersAnsweredAtMs: at + 30 * hourMs })).toEqual([['failed', 'died', at]]);
});

test('what a person reported stands', () => {
  const reported = { outcome: 'removed', how: 'reported', atMs: at } as const;
  expect(said({ known: reported, answeredAtMs: at + hourMs })).toEqual([]);
  expect(said({ known: { ...reported, outcome: 'alive' }, isUnreadable: true, riskyAtMs: at })).toEqual([]);
});
