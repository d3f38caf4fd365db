import { describe, expect, test } from 'vitest';
import { fixtureComparison, fixtureOutcomes, fixtureScores } from '../../../test/fixture/model-outcomes.ts';
import { activeVersion, earlierVersion, shadowVersion } from '../../../test/fixture/models.ts';
import { aloneAlarms, gainWords, probability, rangeWords, ratesWords, verdictWord, whyNotTelling } from './outcome-words.ts';

const nowMs = 1_000_000_000_000;
const [active, , earlier] = fixtureOutcomes();

test('a range has its unit once, and one that is rounded to nothing is no range', () => {
  expect([rangeWords({ low: 0.2373, high: 0.5618 }), rangeWords({ low: 0.0003, high: 0.003 }), rangeWords({ low: 0.5, high: 0.5 })]).toEqual([
    '24 to 56 %',
    '<0.1 to 0.3 %',
    '50 %',
  ]);
  expect(ratesWords(active!.falseAlarmsRange!)).toBe('4.1 to 10.0');
});

test('two small probabilities that differ do not look the same', () => {
  expect([0.31, 0.0041, 0.00021, 0.0000004, 0].map(probability)).toEqual(['31 %', '0.4 %', '0.021 %', '0.00004 %', '0 %']);
});

describe('what keeps figures from telling anything is said', () => {
  test('too few failures, months that are not over, a model that never scored', () => {
    expect(whyNotTelling(active)).toBeNull();
    expect(whyNotTelling(earlier)).toBe('Too few failures to tell anything: 3 so far. The counts stand, the shares of them could be anything.');
    expect(whyNotTelling({ ...active!, decisions: 0, undecided: 640 })).toMatch(/^Nothing can be told yet: 640 drive-months scored, none of them over/);
    expect(whyNotTelling(undefined)).toMatch(/^It has scored no drive/);
  });
});

test('a precision is told beside what alarms at random would be right in', () => {
  expect([gainWords(active!, active!), gainWords(active!.failing!, active!)]).toEqual([
    '76 times as often as alarms at random',
    '144 times as often as alarms at random',
  ]);
  expect(gainWords({ ...active!, precision: 0.02 }, active!)).toBe('3.9 times as often as alarms at random');
  expect(gainWords({ ...active!, precision: null }, active!)).toBeNull();
});

test('a comparison says which is ahead, or that nobody can tell', () => {
  const beside = fixtureComparison(nowMs, shadowVersion);
  expect((['too-few', 'ahead', 'behind', 'even'] as const).map((verdict) => verdictWord({ ...beside, verdict }).word)).toEqual([
    'Too little failed to tell which is better',
    `${shadowVersion} is ahead`,
    `${shadowVersion} falls behind`,
    `${shadowVersion} and ${activeVersion} can not be told apart`,
  ]);
});

test('who alarms alone is told of each drive, and the counts of the answer are those of its drives', () => {
  for (const version of [activeVersion, shadowVersion]) {
    const { items, agreement } = fixtureScores(nowMs, version);
    const times = (who: 'this' | 'other' | null) => items.filter((drive) => aloneAlarms(drive) === who).length;
    expect([times('this'), times('other'), times(null)]).toEqual([agreement.onlyThis, agreement.onlyOther, agreement.both + agreement.neither]);
  }
  expect(fixtureScores(nowMs, earlierVersion).items).toEqual([]);
});
