import { isRisky } from '@data-in-motion/shared/domain/assessment';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { describe, expect, test } from 'vitest';
import { withoutAcknowledged } from './acknowledged.ts';
import { assessDevice } from './assess-device.ts';
import { type Day, days, life, nowMs, seagate } from './testdata/lives.ts';
import { smallModel } from './testdata/small-model.ts';

const dayMs = 86_400_000;
const model = new FailureJudge(smallModel);
/** 12 pending sectors, as they were `daysAgo`. */
const acknowledged = (daysAgo: number, counts: Record<string, number> = { 'smart.197': 12 }) => ({ counts, atMs: nowMs - daysAgo * dayMs });
const pending = (count: number): Day => ({ smart: { 197: count } });
const net = (daysLived: readonly Day[], daysAgo: number): (number | undefined)[] =>
  withoutAcknowledged(life(daysLived), acknowledged(daysAgo)).readings.map(({ smart }) => smart[197]);

describe('counters that a person acknowledged', () => {
  test('are taken off what was read before and since, and never below zero', () => {
    expect(net([pending(0), pending(4), pending(12), pending(12), pending(15)], 2)).toEqual([0, 0, 0, 0, 3]);
  });

  test('hide no new damage once the counter fell', () => {
    expect(net([pending(12), pending(3), pending(0), pending(8)], 3)).toEqual([0, 0, 0, 8]);
    expect(withoutAcknowledged(life([pending(12), pending(3)]), acknowledged(1)).takenOff).toEqual({ 'smart.197': 3 });
  });

  test('change nothing where there are none', () => {
    const readings = life([pending(12)]);
    expect(withoutAcknowledged(readings, null).readings).toBe(readings);
    expect(withoutAcknowledged(readings, acknowledged(0, {})).readings).toBe(readings);
  });

  test.each([
    ['the rule', null],
    ['a model', model],
  ])('are no reason for %s any more, and are said', (_, judge) => {
    const by = { device: seagate, model: judge };
    const risen = life([...days(40), ...days(3, { smart: { 5: 8, 197: 12 } })]);
    expect(isRisky(assessDevice(risen, nowMs, by).level)).toBe(true);
    const seen = assessDevice(risen, nowMs, { ...by, acknowledged: acknowledged(1, { 'smart.5': 8, 'smart.197': 12 }) });
    expect(seen.level).toBe('healthy');
    expect(seen.reasons.map(({ text }) => text)).toEqual([
      '8 reallocated sectors, acknowledged',
      '12 pending sectors, acknowledged',
      'SMART 187, 188, 198 are all zero',
    ]);
  });

  test('leave what comes on top of them to be judged, with the whole count in the reason', () => {
    const worse = life([...days(40, pending(12)), { smart: { 197: 36 } }]);
    for (const judge of [null, model]) {
      const assessment = assessDevice(worse, nowMs, { device: seagate, model: judge, acknowledged: acknowledged(5) });
      expect(assessment.level).toBe('at-risk');
      expect(assessment.reasons[0]).toEqual({ text: '36 pending sectors, 12 of them acknowledged, up by 24 within 7 days', attribute: 'smart.197', value: 36 });
    }
  });

  test('do not silence the own verdict of a drive', () => {
    const dying = life([...days(5, pending(12)), { ...pending(12), selfAssessmentPassed: false }]);
    expect(assessDevice(dying, nowMs, { device: seagate, model, acknowledged: acknowledged(1) }).level).toBe('failing');
  });

  test('of an NVMe drive are its media errors', () => {
    const health = { criticalWarning: 0, availableSparePercent: 100, availableSpareThresholdPercent: 10, percentageUsed: 4, unsafeShutdowns: 2 };
    const errors = (mediaErrors: number): Day => ({ nvme: { ...health, mediaErrors } });
    const by = { device: { ...seagate, kind: 'nvme' as const }, model: null, acknowledged: acknowledged(1, { 'nvme.mediaErrors': 400 }) };
    expect(assessDevice(life([errors(400), errors(400)]), nowMs, by)).toMatchObject({
      level: 'healthy',
      reasons: [{ text: 'No warning, 100 % spare, 4 % of the rated endurance used, 400 media errors, acknowledged' }],
    });
    expect(assessDevice(life([errors(400), errors(403)]), nowMs, by)).toMatchObject({
      level: 'at-risk',
      reasons: [{ text: '403 media errors, 400 of them acknowledged, 3 within 30 days', value: 403 }],
    });
  });
});
