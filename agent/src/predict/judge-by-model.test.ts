import type { Reading } from '@data-in-motion/shared/domain/device';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { assessmentRecord } from '@data-in-motion/shared/protocol/records';
import { describe, expect, test } from 'vitest';
import { assessDevice } from './assess-device.ts';
import { dayMs, days, life, nowMs, seagate } from './testdata/lives.ts';
import { smallModel } from './testdata/small-model.ts';

const model = new FailureJudge(smallModel);
const assess = (readings: readonly Reading[], device = seagate) => assessDevice(readings, nowMs, { device, model });
const textsOf = (readings: readonly Reading[]): string[] => assess(readings).reasons.map(({ text }) => text);

describe('a hard drive judged by a model', () => {
  test('whose counters rise has its probabilities, its level, and the counters that pushed in words, strongest first', () => {
    const dying = life([...days(60), ...days(2, { smart: { 197: 8 } }), ...days(2, { smart: { 5: 40, 197: 24, 198: 24 } })]);
    const assessment = assess(dying);
    expect(assessment).toMatchObject({ level: 'failing', horizonDays: 30, judge: { kind: 'model', name: 'small', version: '0123456789ab' } });
    expect(assessment.probability7).toBeLessThan(assessment.probability!);
    expect(assessment.probability).toBeGreaterThan(0.3);
    expect(assessment.reasons.map(({ text }) => text)).toEqual([
      '40 reallocated sectors, up by 40 within 7 days',
      '24 pending sectors, up by 24 within 7 days',
      '24 offline uncorrectable sectors, up by 24 within 7 days',
      'By the published rule on SMART 5, 187, 188, 197, 198 it is at risk',
    ]);
    expect(assessment.reasons[0]).toMatchObject({ attribute: 'smart.5', value: 40 });
    assessmentRecord.parse({ type: 'assessment', ...assessment });
  });

  test('that is healthy says what was looked at, also the counts that do not trouble the model', () => {
    expect(textsOf(life(days(30)))).toEqual(['SMART 5, 187, 188, 197, 198 are all zero']);
    expect(textsOf(life(days(30, { smart: { 5: 48, 189: 3 } })))).toEqual([
      '48 reallocated sectors, unchanged for 29 days',
      '3 high fly writes, unchanged for 29 days',
    ]);
  });

  test('recovers when its signs go', () => {
    const ill = days(3, { smart: { 197: 16, 198: 16 } });
    expect(assess(life([...days(40), ...ill])).level).toBe('at-risk');
    expect(assess(life([...days(40), ...ill, ...days(3)])).level).toBe('healthy');
    const settled = days(31, { smart: { 5: 8 } });
    expect(assess(life([...days(40), ...settled.slice(0, 5)])).level).toBe('at-risk');
    expect(assess(life([...days(40), ...settled])).level).toBe('healthy');
  });

  test('that says itself that it fails is failing, and the model does not talk the probability down', () => {
    const assessment = assess(life([...days(30), { selfAssessmentPassed: false }]));
    expect(assessment).toMatchObject({ level: 'failing', probability7: null, reasons: [{ attribute: 'self-assessment' }, {}] });
    expect(assessment.probability).toBeGreaterThan(0.1);
  });

  test('that went silent keeps its risk, and without one is unknown', () => {
    const gone = days(3, { status: 'unreadable', unreadableBecause: 'no answer', selfAssessmentPassed: null, powerOnHours: null });
    expect(assess(life([...days(40), { smart: { 5: 16 } }, ...gone]))).toMatchObject({ level: 'failing', probability7: null });
    expect(assess(life([...days(40), ...gone]))).toMatchObject({ level: 'unknown', probability: null, probability7: null });
    const stale = life([...days(40), { smart: { 5: 16 } }]).map((each) => ({ ...each, atMs: each.atMs - 40 * dayMs }));
    expect(assess(stale).level).toBe('at-risk');
  });

  test('that reports none of the counters is judged by its own word, as without a model', () => {
    const mute = life(days(1)).map((each): Reading => ({ ...each, smart: { 9: 100 } }));
    expect(assess(mute)).toMatchObject({ level: 'healthy', judge: { kind: 'rule' } });
  });
});

describe('what a model does not judge', () => {
  test('is a solid-state drive, in ATA or NVMe: rules do, and are named', () => {
    const health = {
      criticalWarning: 0,
      availableSparePercent: 100,
      availableSpareThresholdPercent: 10,
      percentageUsed: 4,
      mediaErrors: 0,
      unsafeShutdowns: 2,
    };
    const ill = life([...days(40), { smart: { 5: 16 } }]);
    expect(assess(ill, { ...seagate, kind: 'ssd' })).toMatchObject({ level: 'at-risk', probability7: null, judge: { name: 'five-attributes' } });
    expect(assess(life([{ nvme: health }]), { ...seagate, kind: 'nvme' })).toMatchObject({
      level: 'healthy',
      judge: { kind: 'rule', name: 'nvme-health-log' },
    });
  });

  test('is a drive that a newer model asks about in words that this build does not know', () => {
    const newer = new FailureJudge({ ...smallModel, features: smallModel.features.map((name) => `${name}.new`) });
    expect(assessDevice(life(days(30)), nowMs, { device: seagate, model: newer }).judge).toMatchObject({ kind: 'rule', name: 'five-attributes' });
  });

  test('is a drive for which a damaged model gives no probability', () => {
    const damaged = new FailureJudge({ ...smallModel, calibration: [] });
    expect(assessDevice(life(days(30)), nowMs, { device: seagate, model: damaged })).toMatchObject({ level: 'healthy', judge: { kind: 'rule' } });
  });
});
