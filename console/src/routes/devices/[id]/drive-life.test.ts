import type { DeviceHistory } from '@data-in-motion/shared/api/fleet';
import { expect, test } from 'vitest';
import { changesOf, lanesOf } from './drive-life.ts';

const reading = (day: number, more: Partial<DeviceHistory['readings'][number]>): DeviceHistory['readings'][number] => ({
  atMs: 100 - day,
  recordedDay: `2015-06-0${day}`,
  status: 'read',
  smart: {},
  nvme: null,
  temperatureCelsius: 30,
  kernel: null,
  ...more,
});
const judge = { kind: 'rule', name: 'five-attributes', version: '1' } as const;
const assessed = (day: number, level: DeviceHistory['assessments'][number]['level']) => ({
  atMs: day,
  recordedDay: null,
  level,
  probability: null,
  judge,
  reasons: [level],
});

test('a counter that moved gets a lane on the calendar of the drive; one that never did is told in words', () => {
  const { lanes, still } = lanesOf([reading(2, { smart: { '5': 0, '197': 8 } }), reading(1, { smart: { '5': 0, '197': 0 } })]);
  expect(lanes.map(({ name, last, points }) => [name, last, points.map(({ value }) => value)])).toEqual([['pending sectors', 8, [0, 8]]]);
  expect(still).toEqual(['reallocated sectors 0']);
});

test('what a sleeping drive did not tell is a gap, and its last value stands', () => {
  const { lanes } = lanesOf([
    reading(1, { smart: { '197': 0 } }),
    reading(2, { smart: { '197': 4 } }),
    reading(3, { status: 'asleep', temperatureCelsius: null }),
  ]);
  expect(lanes[0]).toMatchObject({ last: 4, points: [{ value: 0 }, { value: 4 }, { value: null }] });
});

test('what the kernel saw goes on while the drive does not answer', () => {
  const kernel = (ioErrors: number, msPerRead: number | null) => ({ ioErrors, timeouts: 0, msPerRead, msPerWrite: null });
  const { lanes, still } = lanesOf([
    reading(1, { kernel: kernel(3, 4.2) }),
    reading(2, { kernel: kernel(3, null) }),
    reading(3, { status: 'unreadable', temperatureCelsius: null, kernel: kernel(90, 800) }),
  ]);
  expect(lanes.map(({ name, unit, points }) => [name, unit, points.map(({ value }) => value)])).toEqual([
    ['I/O errors seen by the kernel', '', [3, 3, 90]],
    ['mean time of a read', ' ms', [4.2, null, 800]],
  ]);
  expect(still).toEqual(['time-outs seen by the kernel 0']);
});

test('a drive on NVMe shows its wear', () => {
  const nvme = (percentageUsed: number) => ({ percentageUsed, availableSparePercent: 100, mediaErrors: null });
  expect(lanesOf([reading(1, { nvme: nvme(3) }), reading(2, { nvme: nvme(4) })])).toMatchObject({
    lanes: [{ name: 'wear of the flash', unit: ' %', scale: 'even', last: 4 }],
    still: ['spare blocks left 100 %'],
  });
});

test('each change of level is told once with its reasons; that a drive began healthy is no news', () => {
  const levels = (['healthy', 'watch', 'watch', 'healthy', 'failing'] as const).map((level, day) => assessed(day, level));
  expect(changesOf(levels).map(({ atMs, from, to, reasons }) => [atMs, from, to, reasons])).toEqual([
    [1, 'healthy', 'watch', ['watch']],
    [3, 'watch', 'healthy', ['healthy']],
    [4, 'healthy', 'failing', ['failing']],
  ]);
  expect(changesOf([assessed(0, 'at-risk')])).toMatchObject([{ from: null, to: 'at-risk' }]);
});
