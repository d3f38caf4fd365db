import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Reading } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { afterAll, describe, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from '../journal/journal.ts';
import { keptDays, ReadingHistory, withReading } from './reading-history.ts';

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

const values = (history: readonly Reading[]): (number | null)[] => history.map((each) => each.smart[5] ?? null);

describe('the history of a device', () => {
  test('keeps all of the newest day and the last values of each day before, and is bounded', () => {
    let history: Reading[] = [];
    for (let hour = 0; hour < 24 * 100; hour += 6) history = withReading(history, reading(hour, hour));
    expect(values(history).slice(-6)).toEqual([2346, 2370, 2376, 2382, 2388, 2394]);
    expect(history.length).toBe(keptDays - 1 + 4);
    for (let minute = 0; minute < 1_000; minute++) history = withReading(history, reading(24 * 100 + minute / 60, minute));
    expect(history.length).toBeLessThan(300);
  });

  test('remembers a day with values although the drive did not answer later that day', () => {
    const history = [reading(1, 7), reading(2, null), reading(30, null), reading(31, null)].reduce<Reading[]>(withReading, []);
    expect(values(history)).toEqual([7, null, null]);
  });

  test('does not lose the last values of a drive by its silence, however long', () => {
    let history = withReading([], reading(0, 7));
    for (let day = 1; day < 400; day++) history = withReading(history, reading(day * 24, null));
    expect(values(history)).toEqual([7, null, null, null, null, null, null]);
  });

  test('keeps what a real drive said although the clock of its host goes back, or far ahead', () => {
    const days = [reading(0, 1), reading(24, 2), reading(48, 3)].reduce<Reading[]>(withReading, []);
    expect(values(withReading(days, reading(25, 9)))).toEqual([1, 2, 3, 9]);
    const jumped = withReading(days, reading(24 * 400, 4));
    expect(values(withReading(jumped, reading(72, 5)))).toEqual([1, 2, 3, 4, 5]);
    expect(values(withReading(jumped, reading(-24 * 400, 0)))).toEqual([1, 2, 3, 4, 0]);
  });

  test('forgets what lies after the day to which a replay went back', () => {
    const played = (day: string, value: number): Reading => ({ ...reading(0, value), recordedDay: day });
    const days = [played('2015-01-01', 1), played('2015-01-02', 2), played('2015-01-03', 3)].reduce<Reading[]>(withReading, []);
    expect(values(withReading(days, played('2015-01-02', 9)))).toEqual([1, 2, 9]);
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
    first.close();

    const second = openJournal(file, noBallast);
    second.db.prepare("INSERT INTO readings_history (device_id, day, reading) VALUES ('disk', 1, 'torn')").run();
    const after = new ReadingHistory(second);
    expect(values(after.of(deviceId))).toEqual([2, 3]);
    after.add(reading(12, 9));
    second.close();

    const third = openJournal(file, noBallast);
    // The clock went back by half a day: what was read before is still known, and still before it.
    expect(values(new ReadingHistory(third).of(deviceId))).toEqual([3, 9]);
    third.close();
  });
});
