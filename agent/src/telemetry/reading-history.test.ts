import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Reading } from '@data-in-motion/shared/domain/device';
import { driveFeatureNames, driveFeatures } from '@data-in-motion/shared/domain/drive-features';
import { historyOf } from '@data-in-motion/shared/domain/drive-history';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { seededRandom } from '@data-in-motion/shared/random';
import { afterAll, describe, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from '../journal/journal.ts';
import { keptDays, keptWeeks, ReadingHistory, withReading } from './reading-history.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'history-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const deviceId = 'disk' as DeviceId;
const startMs = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;

function reading(hours: number, value: number | null): Reading {
  return {
    deviceId,
    atMs: startMs + hours * hourMs,
    recordedDay: null,
    source: 'smartctl',
    status: value === null ? 'unreadable' : 'read',
    unreadableBecause: value === null ? 'no answer' : null,
    selfAssessmentPassed: null,
    temperatureCelsius: null,
    powerOnHours: null,
    smart: value === null ? {} : { 5: value },
    nvme: null,
  };
}

function featuresOf(history: readonly Reading[]): Record<string, number> {
  const points = history.map(({ atMs, powerOnHours, smart }) => ({ day: atMs / (24 * hourMs), powerOnHours, smart }));
  const found: number[] = [];
  driveFeatures(historyOf(points), { maker: 'seagate', capacityBytes: 4e12 }, points.at(-1)!.day, found);
  return Object.fromEntries(driveFeatureNames.flatMap((name, i) => (Number.isNaN(found[i]) ? [] : [[name, found[i]!]])));
}

const values = (history: readonly Reading[]): (number | null)[] => history.map((each) => each.smart[5] ?? null);

describe('the history of a device', () => {
  test('thins out with age: the newest day whole, a reading a day for 100 days, then one a week for two years', () => {
    let history: Reading[] = [];
    for (let hour = 0; hour < 24 * 1_500; hour += 8) history = withReading(history, reading(hour, hour));
    const days = history.map((each) => Math.floor((each.atMs - startMs) / (24 * hourMs)));
    expect(history.length).toBe(keptWeeks + keptDays - 1 + 3);
    expect(days.slice(-5)).toEqual([1497, 1498, 1499, 1499, 1499]);
    expect(days.slice(-keptDays - 2, -3)).toEqual(Array.from({ length: keptDays - 1 }, (_, i) => 1_400 + i));
    const weekly = days.slice(0, keptWeeks);
    // The youngest week is still being left by its last days.
    expect(weekly.slice(1, -1).map((day, i) => day - weekly[i]!)).toEqual(Array.from({ length: keptWeeks - 2 }, () => 7));
    expect(1_499 - weekly[0]!).toBeGreaterThan(720);
  });

  test('keeps all of the newest day and the last values of each day before, and is bounded', () => {
    let history: Reading[] = [];
    for (let hour = 0; hour < 24 * 100; hour += 6) history = withReading(history, reading(hour, hour));
    expect(values(history).slice(-6)).toEqual([2346, 2370, 2376, 2382, 2388, 2394]);
    expect(history.length).toBe(keptDays - 1 + 4);
    for (let minute = 0; minute < 1_000; minute++) history = withReading(history, reading(24 * 100 + minute / 60, minute));
    expect(history.length).toBe(keptDays + 200);
  });

  test('remembers a day with values although the drive did not answer later that day', () => {
    const history = [reading(1, 7), reading(2, null), reading(30, null), reading(31, null)].reduce<Reading[]>((before, each) => withReading(before, each), []);
    expect(values(history)).toEqual([7, null, null]);
  });

  test('does not lose the last values of a drive by its silence, however long', () => {
    let history = withReading([], reading(0, 7));
    for (let day = 1; day < 400; day++) history = withReading(history, reading(day * 24, null));
    expect(values(history)).toEqual([7, null, null, null, null, null, null]);
  });

  test('keeps what a real drive said although the clock of its host goes back, or far ahead', () => {
    const days = [reading(0, 1), reading(24, 2), reading(48, 3)].reduce<Reading[]>((before, each) => withReading(before, each), []);
    expect(values(withReading(days, reading(25, 9)))).toEqual([1, 2, 3, 9]);
    const jumped = withReading(days, reading(24 * 400, 4));
    expect(values(withReading(jumped, reading(72, 5)))).toEqual([1, 2, 3, 4, 5]);
    expect(values(withReading(jumped, reading(-24 * 400, 0)))).toEqual([1, 2, 3, 4, 0]);
  });

  test('forgets what lies after the day to which a replay went back', () => {
    const played = (day: string, value: number): Reading => ({ ...reading(0, value), recordedDay: day });
    const days = [played('2015-01-01', 1), played('2015-01-02', 2), played('2015-01-03', 3)].reduce<Reading[]>((before, each) => withReading(before, each), []);
    expect(values(withReading(days, played('2015-01-02', 9)))).toEqual([1, 2, 9]);
  });

  test('tells a model the same of the last 90 days as one that forgets nothing, and a rise before them to the week', () => {
    const random = seededRandom(7);
    const counts = { 5: 0, 187: 0, 197: 0 };
    const whole: Reading[] = [];
    let thinned: Reading[] = [];
    for (let day = 0; day < 500; day++) {
      for (const attribute of [5, 187] as const) if (random.next() < 0.02) counts[attribute] += 8;
      counts[197] = random.next() < 0.05 ? 8 : 0;
      const each = { ...reading(day * 24, 0), powerOnHours: day * 24, smart: { ...counts } };
      whole.push(each);
      thinned = withReading(thinned, each);
    }
    const full = featuresOf(whole);
    for (const [name, value] of Object.entries(featuresOf(thinned))) {
      if (name.endsWith('daysSinceRise')) expect(Math.abs(value - full[name]!), name).toBeLessThan(7);
      else expect(value, name).toBe(full[name]);
    }
  });

  test('in memory has what is judged and nothing else, and shares it while nothing changes', () => {
    const history = new ReadingHistory(null);
    const told = (hour: number, pending: number): Reading => ({ ...reading(hour, 3), smart: { 1: hour, 5: 3, 194: 30, 197: pending } });
    for (const each of [told(0, 0), told(1, 0), told(2, 8)]) history.add(each);
    const [first, second, third] = history.of(deviceId);
    expect(first!.smart).toEqual({ 5: 3, 197: 0 });
    expect(second!.smart).toBe(first!.smart);
    expect(third!.smart).toEqual({ 5: 3, 197: 8 });
  });

  test('survives a restart through the journal, a day at a time', () => {
    const file = path.join(scratch, 'journal.db');
    const first = openJournal(file, noBallast);
    const before = new ReadingHistory(first);
    for (const [hour, value] of [
      [0, 1],
      [1, 2],
      [24, 3],
      [25, null],
    ] as const)
      before.add(reading(hour, value));
    before.write();
    before.add(reading(26, 4));
    first.close();

    const second = openJournal(file, noBallast);
    second.db.prepare("INSERT INTO readings_history (device_id, day, reading) VALUES ('disk', 1, 'torn')").run();
    const after = new ReadingHistory(second);
    expect(values(after.of(deviceId))).toEqual([2, 3]);
    after.add(reading(12, 9));
    after.write();
    second.close();

    const third = openJournal(file, noBallast);
    // The clock went back by half a day: what was read before is still known, and still before it.
    expect(values(new ReadingHistory(third).of(deviceId))).toEqual([3, 9]);
    third.close();
  });
});
