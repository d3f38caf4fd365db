import { riskLevels } from '@data-in-motion/shared/domain/assessment';
import type { Reading } from '@data-in-motion/shared/domain/device';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { assessmentRecord } from '@data-in-motion/shared/protocol/records';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assessDevice } from './assess-device.ts';
import { seagate } from './testdata/lives.ts';
import { smallModel } from './testdata/small-model.ts';

const nowMs = Date.UTC(2026, 2, 1);
const dayMs = 86_400_000;
const anyNumber = fc.oneof(fc.nat(), fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 53, 4_295_032_833));
const anyJudge = fc.constantFrom({ device: null, model: null }, { device: seagate, model: new FailureJudge(smallModel) });
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });

const anyReading: fc.Arbitrary<Reading> = fc.record({
  deviceId: fc.constantFrom('a' as DeviceId, 'b' as DeviceId),
  atMs: fc.integer({ min: nowMs - 90 * dayMs, max: nowMs + dayMs }),
  recordedDay: orNull(fc.constantFrom('2014-02-28', '2014-03-01', '2014-04-01', 'no day')),
  source: fc.constantFrom('smartctl' as const, 'replay' as const),
  status: fc.constantFrom('read' as const, 'read' as const, 'asleep' as const, 'unreadable' as const),
  unreadableBecause: orNull(fc.string()),
  selfAssessmentPassed: orNull(fc.boolean()),
  temperatureCelsius: orNull(anyNumber),
  powerOnHours: orNull(anyNumber),
  smart: fc.dictionary(fc.constantFrom('5', '187', '188', '196', '197', '198', '9', '300', 'x'), anyNumber),
  nvme: orNull(
    fc.record({
      criticalWarning: orNull(anyNumber),
      availableSparePercent: orNull(anyNumber),
      availableSpareThresholdPercent: orNull(anyNumber),
      percentageUsed: orNull(anyNumber),
      mediaErrors: orNull(anyNumber),
      unsafeShutdowns: orNull(anyNumber),
    }),
  ),
});

describe('an assessment', () => {
  test('of any readings is one that can be sent, says why, and has a probability exactly when the level is known', () => {
    fc.assert(
      fc.property(fc.array(anyReading, { maxLength: 12 }), anyJudge, (readings, by) => {
        const assessment = assessDevice(readings, nowMs, by);
        expect(riskLevels).toContain(assessment.level);
        expect(assessment.reasons.length).toBeGreaterThan(0);
        expect(assessment.probability === null).toBe(assessment.level === 'unknown');
        if (readings.length > 0) assessmentRecord.parse({ type: 'assessment', ...assessment });
        expect(JSON.stringify(assessment)).not.toMatch(/NaN|Infinity|undefined/);
      }),
    );
  });

  test('of a drive whose host had another clock all the time before is the same', () => {
    const spaced = fc.uniqueArray(anyReading, { maxLength: 10, selector: (reading) => reading.atMs }).map((list) =>
      list
        .map((reading) => ({ ...reading, deviceId: 'a' as DeviceId, recordedDay: null }))
        .sort((a, b) => a.atMs - b.atMs)
        .map((reading, _, all) => ({ ...reading, atMs: reading.atMs - all.at(-1)!.atMs + nowMs })),
    );
    fc.assert(
      fc.property(spaced, fc.integer({ min: 100 * dayMs, max: 20 * 365 * dayMs }), anyJudge, (readings, aheadMs, by) => {
        const newest = readings.at(-1);
        if (newest === undefined) return;
        const before = readings.slice(0, -1);
        // The clock is put right in the moment in which the last of them is read again.
        const steady = [...before, newest, newest];
        const corrected = [...before, newest].map((reading) => ({ ...reading, atMs: reading.atMs + aheadMs }));
        const { level, probability } = assessDevice(steady, nowMs, by);
        expect(assessDevice([...corrected, newest], nowMs, by)).toMatchObject({ level, probability });
      }),
    );
  });

  test('of counters that only stand still is never a reason to move data below the large counts', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 49 }),
        fc.constantFrom('5', '187', '188', '197', '198'),
        fc.integer({ min: 1, max: 50 }),
        (value, attribute, days) => {
          const readings = Array.from(
            { length: days },
            (_, i): Reading => ({
              deviceId: 'a' as DeviceId,
              atMs: nowMs - (days - i) * 3_600_000,
              recordedDay: null,
              source: 'smartctl',
              status: 'read',
              unreadableBecause: null,
              selfAssessmentPassed: true,
              temperatureCelsius: 30,
              powerOnHours: 100 + i,
              smart: { [attribute]: value },
              nvme: null,
            }),
          );
          expect(assessDevice(readings, nowMs).level).toBe('watch');
        },
      ),
    );
  });
});
