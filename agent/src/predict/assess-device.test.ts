import type { NvmeHealth, Reading } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { describe, expect, test } from 'vitest';
import { assessDevice } from './assess-device.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 2, 1);
const deviceId = 'st4000dm000-w300dy1n' as DeviceId;

type Counts = Record<string, number>;

/** Readings of consecutive days that end today. */
function daily(counts: readonly Counts[], more: Partial<Reading> = {}): Reading[] {
  return counts.map((smart, i) => {
    const age = counts.length - 1 - i;
    return reading({ atMs: nowMs - age * dayMs, powerOnHours: 20_000 - age * 24, smart: { 5: 0, 187: 0, 188: 0, 197: 0, 198: 0, ...smart }, ...more });
  });
}

function reading(more: Partial<Reading>): Reading {
  return {
    deviceId,
    atMs: nowMs,
    recordedDay: null,
    source: 'smartctl',
    status: 'read',
    unreadableBecause: null,
    selfAssessmentPassed: true,
    temperatureCelsius: 31,
    powerOnHours: 20_000,
    smart: {},
    nvme: null,
    ...more,
  };
}

const unanswered = (hoursAgo: number): Reading =>
  reading({
    atMs: nowMs - hoursAgo * 3_600_000,
    status: 'unreadable',
    unreadableBecause: 'it gave no answer within 30000 ms',
    selfAssessmentPassed: null,
    powerOnHours: null,
  });
const repeat = (count: number, counts: Counts): Counts[] => Array.from({ length: count }, () => counts);
const ahead = (readings: readonly Reading[], ms: number): Reading[] => readings.map((one) => ({ ...one, atMs: one.atMs + ms }));
const levelOf = (readings: readonly Reading[]): string => assessDevice(readings, nowMs).level;

describe('a hard drive', () => {
  test('with all five attributes at zero is healthy, and that is said', () => {
    const assessment = assessDevice(daily(repeat(10, {})), nowMs);
    expect(assessment).toMatchObject({ level: 'healthy', deviceId, horizonDays: 30, judge: { kind: 'rule', name: 'five-attributes', version: '1' } });
    expect(assessment.reasons[0]!.text).toBe('SMART 5, 187, 188, 197, 198 are all zero');
    expect(assessment.probability).toBeGreaterThan(0);
    expect(assessment.probability).toBeLessThan(0.0013);
  });

  test('with an old count of reallocated sectors that stands still is watched and no more', () => {
    const assessment = assessDevice(daily(repeat(45, { 5: 48 })), nowMs);
    expect(assessment.level).toBe('watch');
    expect(assessment.reasons).toEqual([{ text: '48 reallocated sectors, unchanged for 44 days', attribute: 'smart.5', value: 48 }]);
  });

  test('whose reallocated sectors rise is at risk, with the rise in the reason', () => {
    const assessment = assessDevice(daily([...repeat(20, { 5: 8 }), { 5: 16 }, { 5: 24 }]), nowMs);
    expect(assessment.level).toBe('at-risk');
    expect(assessment.reasons[0]).toEqual({ text: '24 reallocated sectors, up by 16 within 7 days', attribute: 'smart.5', value: 24 });
  });

  test.each([
    ['put back by a year', (history: Reading[]) => [...ahead(history.slice(0, -1), 365 * dayMs), ...history.slice(-1)]],
    ['put back by three hours', (history: Reading[]) => [...ahead(history.slice(0, -1), 27 * 3_600_000), ...history.slice(-1)]],
    [
      'put back twice',
      (history: Reading[]) => [...ahead(history.slice(0, 15), 800 * dayMs), ...ahead(history.slice(15, -1), 365 * dayMs), ...history.slice(-1)],
    ],
    ['a year ahead for a day', (history: Reading[]) => [...history.slice(0, 21), ...ahead(history.slice(21, 22), 365 * dayMs), ...history.slice(22)]],
    ['at 1970 for a day', (history: Reading[]) => [...history.slice(0, 21), ...ahead(history.slice(21, 22), -nowMs), ...history.slice(22)]],
    ['at 1970 since today', (history: Reading[]) => [...history.slice(0, -1), ...ahead(history.slice(-1), -nowMs)]],
  ])('is as much at risk when the clock of its host was %s', (_, spoil) => {
    const steady = daily([...repeat(20, { 5: 8 }), { 5: 16 }, { 5: 24 }, { 5: 24 }]);
    const spoiled = spoil(steady);
    expect(assessDevice(steady, nowMs).level).toBe('at-risk');
    expect(assessDevice(spoiled, spoiled.at(-1)!.atMs)).toMatchObject({ level: 'at-risk', reasons: [{ value: 24 }] });
  });

  test('with a single command time-out, packed by its maker, is watched', () => {
    expect(levelOf(daily([...repeat(20, {}), ...repeat(5, { 188: 4_295_032_833 })]))).toBe('watch');
  });

  test('whose time-outs keep coming is at risk', () => {
    expect(levelOf(daily([...repeat(20, {}), { 188: 4 }, { 188: 9 }, { 188: 15 }]))).toBe('at-risk');
  });

  test('with pending sectors beside replaced ones is at risk even when neither moves', () => {
    expect(levelOf(daily(repeat(40, { 5: 3, 197: 8, 198: 8 })))).toBe('at-risk');
  });

  test('with pending and offline-uncorrectable sectors that are the same sectors has one sign, not two', () => {
    expect(levelOf(daily(repeat(40, { 197: 8, 198: 8 })))).toBe('watch');
  });

  test('with very many replaced sectors is at risk at the first reading', () => {
    const assessment = assessDevice(daily([{ 5: 1_975 }]), nowMs);
    expect(assessment.level).toBe('at-risk');
    expect(assessment.reasons[0]!.text).toBe('1,975 reallocated sectors, with no earlier day to compare with');
  });

  test('with two kinds of damage that rise steeply is failing', () => {
    expect(levelOf(daily([...repeat(20, {}), { 5: 40, 197: 30 }, { 5: 160, 197: 90, 187: 4 }]))).toBe('failing');
  });

  test('that says itself that it fails is failing, whatever its counters', () => {
    const assessment = assessDevice(daily([{}], { selfAssessmentPassed: false }), nowMs);
    expect(assessment.level).toBe('failing');
    expect(assessment.reasons[0]!.attribute).toBe('self-assessment');
  });

  test('recovers when pending sectors were rewritten, and the reason says what was there', () => {
    const risen = daily([...repeat(20, {}), { 197: 16, 198: 16 }]);
    expect(levelOf(risen)).toBe('at-risk');
    const mended = assessDevice(daily([...repeat(20, {}), { 197: 16, 198: 16 }, { 197: 16, 198: 16 }, {}, {}]), nowMs);
    expect(mended.level).toBe('healthy');
    const settled = daily([...repeat(20, {}), { 5: 8 }, ...repeat(15, { 5: 8 })]);
    expect(levelOf(settled)).toBe('watch');
  });

  test('that takes the place of a dying one is judged by its own readings only', () => {
    const dying = daily([{ 5: 10 }, { 5: 200, 197: 80 }, { 5: 900, 197: 300 }, {}, {}]);
    expect(levelOf(dying.map((each, i) => (i < 3 ? { ...each, powerOnHours: 39_000 + i * 24 } : { ...each, powerOnHours: 30 + i * 24 })))).toBe('healthy');
    const other = 'st4000dm000-other' as DeviceId;
    expect(assessDevice([...dying.slice(0, 3), reading({ deviceId: other, smart: { 5: 0 } })], nowMs)).toMatchObject({ deviceId: other, level: 'healthy' });
  });

  test('of a maker without 187 and 188 is judged by what it reports', () => {
    expect(assessDevice([reading({ smart: { 5: 0, 197: 0 } })], nowMs).reasons[0]!.text).toBe('SMART 5, 197 are all zero');
  });

  test('that reports nothing of use is healthy by its own word, and unknown without it', () => {
    expect(levelOf([reading({ smart: { 9: 100 } })])).toBe('healthy');
    expect(levelOf([reading({ smart: { 9: 100 }, selfAssessmentPassed: null })])).toBe('unknown');
  });

  test('in a replayed life is judged by the days of the recording, not by the pace of the replay', () => {
    const played = daily([...repeat(25, { 5: 48 }), ...repeat(20, { 5: 50 })]).map((each, i) => ({
      ...each,
      atMs: nowMs - (45 - i) * 1_000,
      recordedDay: new Date(Date.UTC(2014, 4, 1 + i)).toISOString().slice(0, 10),
    }));
    const assessment = assessDevice(played, nowMs);
    expect(assessment).toMatchObject({ level: 'watch', recordedDay: '2014-06-14' });
    expect(assessment.reasons[0]!.text).toBe('50 reallocated sectors, up by 2 within 30 days');
  });
});

describe('a device that says nothing', () => {
  test('and never did is unknown', () => {
    expect(assessDevice([], nowMs)).toMatchObject({ level: 'unknown', probability: null });
    expect(levelOf([unanswered(0)])).toBe('unknown');
  });

  test('once, keeps its level: a busy bus is no failure', () => {
    const assessment = assessDevice([...daily(repeat(5, {})), unanswered(0)], nowMs);
    expect(assessment.level).toBe('healthy');
    expect(assessment.reasons[0]!.text).toContain('does not answer: it gave no answer within 30000 ms');
  });

  test('again and again is unknown, and failing when it had signs before', () => {
    const gone = [unanswered(2), unanswered(1), unanswered(0)];
    expect(levelOf([...daily(repeat(5, {})).map(hoursEarlier(3)), ...gone])).toBe('unknown');
    expect(levelOf([...daily([{}, {}, { 197: 24 }]).map(hoursEarlier(3)), ...gone])).toBe('failing');
  });

  test('because it sleeps keeps its level', () => {
    const asleep = reading({ status: 'asleep', unreadableBecause: 'Device is in STANDBY mode', selfAssessmentPassed: null, powerOnHours: null });
    expect(levelOf([...daily(repeat(5, { 5: 3 })).map(hoursEarlier(3)), asleep, asleep, asleep, asleep])).toBe('watch');
  });

  test('for days is unknown, but a risk does not go away by silence', () => {
    const old = (readings: Reading[]): Reading[] => readings.map(hoursEarlier(24 * 5));
    const assessment = assessDevice(old(daily(repeat(5, {}))), nowMs);
    expect(assessment).toMatchObject({ level: 'unknown', probability: null });
    expect(assessment.reasons[0]!.text).toBe('The newest reading is 5 days old');
    expect(levelOf(old(daily([{}, { 5: 24 }])))).toBe('at-risk');
  });
});

const hoursEarlier =
  (hours: number) =>
  (each: Reading): Reading => ({ ...each, atMs: each.atMs - hours * 3_600_000 });

describe('an NVMe drive', () => {
  const nvme = (health: Partial<NvmeHealth>): Reading =>
    reading({
      nvme: {
        criticalWarning: 0,
        availableSparePercent: 100,
        availableSpareThresholdPercent: 10,
        percentageUsed: 4,
        mediaErrors: 0,
        unsafeShutdowns: 2,
        ...health,
      },
    });

  test.each<[string, Partial<NvmeHealth>, string]>([
    ['without a warning is healthy', {}, 'healthy'],
    ['too hot is watched', { criticalWarning: 0b10 }, 'watch'],
    ['that degrades is failing', { criticalWarning: 0b100 }, 'failing'],
    ['that turned read-only is failing', { criticalWarning: 0b1000 }, 'failing'],
    ['whose volatile memory is not backed up is at risk', { criticalWarning: 0b10000 }, 'at-risk'],
    ['with a warning bit nobody defined is watched', { criticalWarning: 0b1000000 }, 'watch'],
    ['with spare below its threshold is failing', { availableSparePercent: 9 }, 'failing'],
    ['with spare close to its threshold is at risk', { availableSparePercent: 15 }, 'at-risk'],
    ['without spare blocks by design is healthy', { availableSparePercent: 0, availableSpareThresholdPercent: 0 }, 'healthy'],
    ['near the end of its rated endurance is watched', { percentageUsed: 95 }, 'watch'],
    ['far beyond its rated endurance is at risk', { percentageUsed: 130 }, 'at-risk'],
    ['with a few old media errors is watched', { mediaErrors: 7 }, 'watch'],
    ['with very many media errors is at risk', { mediaErrors: 4_000 }, 'at-risk'],
  ])('%s', (_, health, level) => {
    const assessment = assessDevice([nvme(health)], nowMs);
    expect(assessment.level).toBe(level);
    expect(assessment.reasons.length).toBeGreaterThan(0);
  });

  test('whose media errors rise is at risk', () => {
    expect(levelOf([hoursEarlier(240)(nvme({ mediaErrors: 2 })), nvme({ mediaErrors: 5 })])).toBe('at-risk');
  });

  test('that says it fails because of the temperature alone is not evacuated', () => {
    expect(levelOf([{ ...nvme({ criticalWarning: 0b10 }), selfAssessmentPassed: false }])).toBe('watch');
  });
});
