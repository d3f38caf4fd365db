import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { historyOf } from '@data-in-motion/shared/domain/drive-history';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { expect, test } from 'vitest';
import { evaluate, monthlyDecisions, scoreByModel } from '../learn/evaluate-model.ts';
import type { RecordedDrive } from '../learn/recorded-drive.ts';
import { measuredBeside } from './measure-beside.ts';

const [fromDay, untilDay] = [dayOfDate('2016-01-01'), dayOfDate('2016-04-01')];
const drives = Array.from({ length: 8 }, (_, i): RecordedDrive => {
  const history = historyOf([{ day: fromDay - 60, powerOnHours: 100, smart: { 5: i < 3 ? 50 : 0, 197: 0 } }]);
  return {
    driveId: `d${i}`,
    model: 'ST4000DM000',
    maker: 'seagate',
    capacityBytes: 4e12,
    history,
    firstDay: fromDay - 60,
    lastDay: fromDay + (i < 3 ? 45 : 200),
    failed: i < 3,
  };
});
const decisions = monthlyDecisions(drives, fromDay, untilDay);
const { logOdds, p30 } = scoreByModel(smallModel(), decisions);
const { dataHash, from, to, quality } = evaluate(decisions, logOdds, p30, 1);
const other = { dataHash, from, to, ...quality };
const older = smallModel({ base: -4 });

test('a model that did not learn from these months is measured on the very same decisions', () => {
  expect(measuredBeside(older, other, drives, 1)).toMatchObject({
    dataHash,
    from: '2016-01-01',
    to: '2016-03-01',
    decisions: quality.decisions,
    auc: quality.auc,
  });
  expect(quality.decisions).toBe(8 + 8 + 5);
});

test('nothing is told of one that learned from them, nor on other decisions, nor of none', () => {
  const taught = smallModel({ trained: { ...older.trained, to: '2016-02-01' } });
  expect(measuredBeside(taught, other, drives, 1)).toBeNull();
  expect(measuredBeside(older, { ...other, dataHash: 'others' }, drives, 1)).toBeNull();
  expect(measuredBeside(null, other, drives, 1)).toBeNull();
});
