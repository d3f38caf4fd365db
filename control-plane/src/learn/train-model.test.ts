import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { HistoryBuilder } from '@data-in-motion/shared/domain/drive-history';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { modelFault } from '@data-in-motion/shared/domain/model-fault';
import { contentVersion } from '@data-in-motion/shared/model-identity';
import { randomInt, seededRandom } from '@data-in-motion/shared/random';
import { describe, expect, test } from 'vitest';
import { evaluate, monthlyDecisions, scoreByModel } from './evaluate-model.ts';
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

  test('is the same from the same data and seed, and another from another seed', () => {
    expect(JSON.stringify(train(drives))).toBe(JSON.stringify(model));
    expect(train(drives, { seed: 2 }).version).not.toBe(model.version);
  });

  test('looks at nothing from the last day on', () => {
    const untilDay = dayOfDate('2021-01-01');
    const cut = drives.map((drive) => ({ ...drive, lastDay: Math.min(drive.lastDay, untilDay + 1), failed: drive.failed && drive.lastDay <= untilDay }));
    expect(train(cut, { untilDay }).trees).toEqual(train(drives, { untilDay }).trees);
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
