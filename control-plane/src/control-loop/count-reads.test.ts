import { expect, test } from 'vitest';
import type { CountedSlice } from '../store/counted-reads.ts';
import type { Tx } from '../store/database.ts';
import { type CountSlice, ReadCounter } from './count-reads.ts';
import { defaultLoopSettings, type LeaderWrite, type LoopParts } from './parts.ts';

const hourMs = 3_600_000;

test('a tour goes on where the pass before ended, and the next begins an hour after this one began', async () => {
  let nowMs = 0;
  const asked: (string | null)[] = [];
  const ends = ['maps', 'scans', null];
  const count: CountSlice = async (_tx, _atMs, forMs, after) => {
    expect(forMs).toBe(30 * 24 * hourMs);
    asked.push(after);
    return { last: ends[(asked.length - 1) % ends.length] } as CountedSlice;
  };
  const parts = { store: { nowMs: async () => nowMs }, settings: defaultLoopSettings } as unknown as LoopParts;
  const write: LeaderWrite = (work) => work({} as Tx, nowMs);
  const counter = new ReadCounter(parts, count);
  for (let pass = 0; pass < 5; pass++) {
    await counter.pass(write);
    nowMs += 2_000;
  }
  expect(asked).toEqual([null, 'maps', 'scans']);
  nowMs = hourMs - 1;
  await counter.pass(write);
  expect(asked).toHaveLength(3);
  nowMs = hourMs;
  await counter.pass(write);
  expect(asked).toEqual([null, 'maps', 'scans', null]);
});
