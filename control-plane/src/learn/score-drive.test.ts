import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { expect, test } from 'vitest';
import { featuresOn, type KeptReading, knownDrive, type ReadDrive, scoreDrive } from './score-drive.ts';

const dayMs = 86_400_000;
const reading = (day: number, smart: Record<string, number>, recordedDay: string | null = null): KeptReading => ({
  atMs: day * dayMs,
  recordedDay,
  powerOnHours: 1_000 + day * 24,
  smart,
});
const drive = (...readings: KeptReading[]): ReadDrive => ({ model: 'ST4000DM000', capacityBytes: 4e12, readings });
const judges = [new FailureJudge(smallModel()), new FailureJudge(smallModel({ base: -20 }))];
const scores = (of: ReadDrive) => {
  const known = knownDrive(of);
  return known === null ? null : scoreDrive(featuresOn(known, of, known.day), judges).map((one) => one.level);
};

test('each model says its own of the same drive', () => {
  expect(scores(drive(reading(1, { 5: 0 }), reading(20, { 5: 200 })))).toEqual(['at-risk', 'healthy']);
  expect(scores(drive(reading(1, { 5: 0 }), reading(20, { 5: 0 })))).toEqual(['watch', 'healthy']);
});

test('of a drive that tells no counter of damage, or nothing, models say nothing', () => {
  expect(scores(drive(reading(1, { 9: 100, 12: 4 })))).toBeNull();
  expect(scores(drive())).toBeNull();
});

test('a replayed life has its own dates, and a clock that was set back does not turn it round', () => {
  const replayed = knownDrive(drive(reading(500, { 5: 0 }, '1970-01-11'), reading(500.01, { 5: 1 }, '1970-01-21')))!;
  expect([replayed.firstDay, replayed.day, replayed.history.days]).toEqual([10, 20, [10, 20]]);
  expect(knownDrive(drive(reading(30, { 5: 0 }), reading(20, { 5: 1 })))!.day).toBe(30);
});
