import { readFileSync } from 'node:fs';
import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import { HistoryBuilder } from '@data-in-motion/shared/domain/drive-history';
import { FailureJudge, type FailureModel } from '@data-in-motion/shared/domain/failure-model';
import { modelFault } from '@data-in-motion/shared/domain/model-fault';
import { contentVersion } from '@data-in-motion/shared/model-identity';
import { randomInt, seededRandom } from '@data-in-motion/shared/random';
import { describe, expect, test } from 'vitest';
import { shippedModelFile } from '../shipped-model.ts';
import { decisionsOn } from './decisions.ts';
import { evaluate, monthlyDecisions, scoreByModel } from './evaluate-model.ts';
import { distributionBefore } from './feature-distribution.ts';
import { compareFeatures, hasDrifted } from './feature-drift.ts';
import { type RecordedDrive } from './recorded-drive.ts';
import { reportText } from './report.ts';
import { plotFiles } from './report-plots.ts';
import { shippedSettings } from './shipped-settings.ts';
import { type TrainSettings, trainModel } from './train-model.ts';

const firstDay = dayOfDate('2020-01-01');
const lastDay = dayOfDate('2021-07-01');
const settings: TrainSettings = { ...shippedSettings, fromDay: firstDay, untilDay: lastDay, seed: 1 };

/** Invented drives: some replace sectors in steps and die some weeks after the steps come fast, some die without a sign, most live on with an old count. */
function drivesOf(count: number, seed: number): RecordedDrive[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i): RecordedDrive => {
    const builder = new HistoryBuilder();
    const fate = random.next();
    const diesOnDay = fate < 0.25 ? firstDay + randomInt(random, 60, 540) : lastDay;
    const hasSigns = fate < 0.18;
    const old = random.next() < 0.1 ? randomInt(random, 1, 40) : 0;
    for (let day = firstDay; day < diesOnDay; day += 3) {
      const before = diesOnDay - day;
      const sectors = old + (hasSigns && before < 45 ? Math.floor((45 - before) * 1.5) : 0);
      builder.add({ day, powerOnHours: 5_000 + (day - firstDay) * 24, smart: { 5: sectors, 12: 10, 187: 0, 197: hasSigns && before < 20 ? 8 : 0 } });
    }
    return {
      driveId: `d${i}`,
      model: 'ST4000DM000',
      maker: 'seagate',
      capacityBytes: 4e12,
      history: builder.history,
      firstDay,
      lastDay: diesOnDay,
      failed: fate < 0.25,
    };
  });
}

function train(drives: readonly RecordedDrive[], more: Partial<TrainSettings> = {}) {
  const trained = trainModel(drives, { ...settings, ...more });
  if (trained.status !== 'trained') throw new Error(trained.because);
  return trained.model;
}

describe('a model that is trained', () => {
  const drives = drivesOf(600, 1);
  const model = train(drives);

  test('finds on other drives what has signs, not what has none, and calls an old count that stands still no risk', () => {
    const others = drivesOf(400, 2);
    const decisions = monthlyDecisions(others, dayOfDate('2020-03-01'), lastDay);
    const { logOdds, p30, p7 } = scoreByModel(model, decisions);
    const evaluation = evaluate(decisions, logOdds, p30, 1);
    expect(evaluation.quality.truePositiveRate['0.01']).toBeGreaterThan(0.5);
    expect(evaluation.quality.truePositiveRate['0.01']).toBeLessThan(0.85);
    expect(evaluation.rules.find((rule) => rule.name === 'any-of-five')!.modelAtSameRate).toBeGreaterThan(0.6);
    for (const [row, within30] of p30.entries()) expect(p7[row]).toBeLessThanOrEqual(within30);
    const foretold = evaluation.calibration.reduce((sum, bin) => sum + bin.foretold * bin.decisions, 0);
    expect(foretold / evaluation.quality.failures).toBeGreaterThan(0.6);
    expect(foretold / evaluation.quality.failures).toBeLessThan(1.6);
    expect(reportText('A model', evaluation)).toContain('come without an alarm');
    expect(plotFiles(evaluation)['calibration.svg']).toContain('<svg');
  });

  test('is one that agents run, named by its content, and small', () => {
    expect(modelFault(JSON.parse(JSON.stringify(model)))).toBeNull();
    expect(model.version).toBe(contentVersion(model));
    expect(JSON.stringify(model).length).toBeLessThan(1_000_000);
    expect(model.trained).toMatchObject({ from: '2020-01-01', to: '2021-07-01', drives: 600, seed: 1 });
  });

  test('keeps how the drives reported that it learned from: those of the last three months, watched for 90 days', () => {
    const months = ['2021-04-01', '2021-05-01', '2021-06-01'].map(dayOfDate);
    const alive = months.map((day) => drives.filter((drive) => drive.lastDay > day));
    const { drives: kept, looks, features } = model.distribution!;
    expect([kept, looks]).toEqual([alive[0]!.length, alive.flat().length]);
    expect(features.every(({ counts }) => counts.reduce((sum, count) => sum + count) === looks)).toBe(true);
    const late = [{ ...drives[0]!, driveId: 'late', firstDay: months[2]! - 89, lastDay }];
    expect(distributionBefore([...drives, ...late], firstDay, lastDay)!.looks).toBe(looks);
    expect(distributionBefore(drives.slice(0, 20), firstDay, lastDay)).toBeNull();
  });

  test('tells a fleet like its training from another one', () => {
    const rowsOf = (fleet: readonly RecordedDrive[]) => {
      const { values, days } = decisionsOn(fleet, [dayOfDate('2021-05-15')]);
      return days.map((_, row) => values.subarray(row * driveFeatureNames.length, (row + 1) * driveFeatureNames.length));
    };
    const drifted = (fleet: readonly RecordedDrive[]) =>
      compareFeatures(model.distribution!, rowsOf(fleet))
        .filter(hasDrifted)
        .map(({ feature }) => feature);
    expect(drifted(drivesOf(300, 7))).toEqual([]);
    expect(drifted(drivesOf(300, 7).map((drive) => ({ ...drive, capacityBytes: 12e12 })))).toEqual(['capacityTb']);
  });

  test('is the same from the same data and seed, and another from another seed', () => {
    expect(JSON.stringify(train(drives))).toBe(JSON.stringify(model));
    expect(train(drives, { seed: 2 }).version).not.toBe(model.version);
  });

  test('looks at nothing from the last day on', () => {
    const untilDay = dayOfDate('2021-01-01');
    const cut = drives.map((drive) => ({ ...drive, lastDay: Math.min(drive.lastDay, untilDay + 1), failed: drive.failed && drive.lastDay <= untilDay }));
    const [early, whole] = [train(cut, { untilDay }), train(drives, { untilDay })];
    expect(early.trees).toEqual(whole.trees);
    expect(early.distribution).toEqual(whole.distribution);
    expect(early.distribution).not.toEqual(model.distribution);
  });

  test('says which features pushed, and adds up to what it says', () => {
    const judge = new FailureJudge(model);
    const { values } = monthlyDecisions(drives.slice(0, 3), dayOfDate('2020-03-01'), dayOfDate('2020-06-01'));
    const one = values.subarray(0, model.features.length);
    const roots = model.trees.roots.reduce((sum, root) => sum + model.trees.value[root]!, 0);
    const pushed = judge.pushes(one).reduce((sum, push) => sum + push.by, 0);
    expect(model.base + roots + pushed).toBeCloseTo(judge.logOdds(one), 6);
  });
});

test.each([0, 1, 2, 3, 5, 40])('from %i drives nothing is made, and that is said', (count) => {
  expect(trainModel(drivesOf(count, 3), settings)).toMatchObject({ status: 'too-few', because: expect.stringContaining('at least 30') });
});

test('the shipped model is whole, named by its content, small, and keeps how its drives reported', () => {
  const shipped = JSON.parse(readFileSync(shippedModelFile, 'utf8')) as FailureModel;
  expect(modelFault(shipped)).toBeNull();
  expect(contentVersion(shipped)).toBe(shipped.version);
  expect(JSON.stringify(shipped).length).toBeLessThan(1_000_000);
  expect(shipped.distribution!.drives).toBeLessThanOrEqual(shipped.trained.drives);
  expect(shipped.distribution!.features.find(({ feature }) => feature === 'capacityTb')!.median).toBe(4);
});
