import { expect, test } from 'vitest';
import { liveOutcomes, type ScoredPeriod } from './live-outcomes.ts';

const today = 1_000;
const period = (deviceId: string, firstDay: number, lastDay: number, alarm: readonly [number, number] | null = null): ScoredPeriod => ({
  version: 'v',
  deviceId,
  firstDay,
  lastDay,
  firstAlarmDay: alarm?.[0] ?? null,
  lastAlarmDay: alarm?.[1] ?? null,
  firstFailingDay: null,
  lastFailingDay: null,
});
const of = (periods: readonly ScoredPeriod[], gone: Parameters<typeof liveOutcomes>[1] = []) => liveOutcomes(periods, gone, today)[0]!;

test('an alarm that a failure followed within 30 days was true, one of which 30 days went by was false', () => {
  const periods = [period('a', 800, 829, [810, 829]), period('b', 800, 829, [805, 806]), period('c', 800, 829)];
  expect(of(periods, [{ deviceId: 'a', outcome: 'failed', day: 840 }])).toMatchObject({
    decisions: 3,
    undecided: 0,
    failures: 1,
    alarms: 2,
    trueAlarms: 1,
    precision: 0.5,
    recall: 1,
    baseRate: 1 / 3,
    leadDays: 30,
    falseAlarmsPer1000Months: 1_000 / 3,
  });
});

test('a failure long after the alarm was not foreseen by it', () => {
  const gone = [{ deviceId: 'a', outcome: 'failed', day: 850 }] as const;
  expect(of([period('a', 800, 829, [801, 802])], gone)).toMatchObject({ failures: 1, found: 0, alarms: 1, trueAlarms: 0, recall: 0, leadDays: null });
});

test('what is not over is not counted, neither for nor against', () => {
  expect(of([period('a', 960, 989, [970, 989])])).toMatchObject({ decisions: 0, undecided: 1, alarms: 0, precision: null, falseAlarmsPer1000Months: null });
  expect(of([period('a', 800, 829, [810, 829])], [{ deviceId: 'a', outcome: 'removed', day: 831 }])).toMatchObject({ decisions: 0, undecided: 1 });
  expect(of([period('a', 960, 989, [970, 989])], [{ deviceId: 'a', outcome: 'failed', day: 990 }])).toMatchObject({ decisions: 1, trueAlarms: 1 });
});

test('the first alarm of a drive counts for its lead, also when it was in an earlier month', () => {
  const gone = [{ deviceId: 'a', outcome: 'failed', day: 870 }] as const;
  expect(of([period('a', 810, 839, [820, 839]), period('a', 840, 869, [840, 869])], gone)).toMatchObject({ failures: 1, found: 1, leadDays: 50 });
});

test('below five failures nothing is said of shares, from five on it is', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => period(`d${i}`, 800, 829, [820, 829]));
  const gone = (count: number) => Array.from({ length: count }, (_, i) => ({ deviceId: `d${i}`, outcome: 'failed', day: 835 }) as const);
  expect(of(many(4), gone(4))).toMatchObject({ telling: false, says: 'too few failures to say: 4 of at least 5' });
  expect(of(many(6), gone(5)).telling).toBe(true);
  expect(of(many(6), gone(5)).says).toBe('foresaw 5 of 5 failures, in the median 15 days ahead; 5 of 6 alarms were followed by one within 30 days');
});

test('what was called failing has figures of its own, beside those from at risk on', () => {
  const gone = [{ deviceId: 'a', outcome: 'failed', day: 840 }] as const;
  const late = { ...period('a', 800, 829, [805, 829]), firstFailingDay: 825, lastFailingDay: 829 };
  const [told, falsely] = [
    of([late, period('b', 800, 829, [805, 806])], gone),
    of([{ ...period('b', 800, 829, [805, 806]), firstFailingDay: 806, lastFailingDay: 806 }]),
  ];
  expect(told).toMatchObject({
    alarms: 2,
    precision: 0.5,
    leadDays: 35,
    failing: { alarms: 1, trueAlarms: 1, found: 1, precision: 1, recall: 1, leadDays: 15 },
  });
  expect(falsely.failing).toMatchObject({ alarms: 1, trueAlarms: 0, precision: 0, recall: null, recallRange: null, falseAlarmsPer1000Months: 1_000 });
});

test('a share comes with the range in which it may well lie', () => {
  const periods = Array.from({ length: 10 }, (_, i) => period(`d${i}`, 800, 829, [810, 829]));
  const gone = periods.slice(0, 8).map(({ deviceId }) => ({ deviceId, outcome: 'failed', day: 835 }) as const);
  const told = of(periods, gone);
  expect(told.precision).toBe(0.8);
  expect(told.precisionRange!.low).toBeCloseTo(0.49, 2);
  expect(told.precisionRange!.high).toBeCloseTo(0.943, 3);
  expect(told.recallRange!.high).toBe(1);
  expect(told.falseAlarmsRange!.low).toBeCloseTo(56.7, 1);
  expect(told.baseRateRange).toEqual(told.precisionRange);
});

test('no scores, no figures; versions stand apart', () => {
  expect(liveOutcomes([], [], today)).toEqual([]);
  expect(liveOutcomes([period('a', 800, 829), { ...period('a', 800, 829), version: 'w' }], [], today).map((one) => one.version)).toEqual(['v', 'w']);
});
