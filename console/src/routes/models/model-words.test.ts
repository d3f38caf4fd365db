import { describe, expect, test } from 'vitest';
import { fixtureModels } from '../../../test/fixture/models.ts';
import { baseRate, blindSpot, earlierModel, keptBack } from './model-words.ts';

const { models } = fixtureModels(1_000_000_000_000);
const [candidate, worse, shadow, active, retired] = models;
const { metrics } = active!;

describe('what a model can not see', () => {
  test('is told from its own figures, at the most alarms that were measured', () => {
    expect(blindSpot(metrics)).toMatch(
      /^59\s% of the failures come without an alarm, when 1\s% of the healthy drives are alarmed about \(200 failures of 341\)/,
    );
    const few = { ...metrics!, truePositiveRate: { '0.001': 0.1, '0.005': 0.25, '0.01': null } };
    expect(blindSpot(few)).toMatch(/^75\s% .* when 0\.5\s%/);
  });
  test('is said not to be known where nobody measured it, or too little failed', () => {
    expect(blindSpot(null)).toMatch(/was not measured/);
    expect(blindSpot({ ...metrics!, truePositiveRate: { '0.001': null, '0.005': null, '0.01': null } })).toMatch(/^Too little failed/);
    expect([baseRate(null), baseRate(metrics)?.toFixed(4)]).toEqual([null, '0.0023']);
  });
});

test('a model that was not measured is kept back from the place of the active one, a better one is not', () => {
  expect(keptBack(candidate!, active)).toEqual({ kind: 'not-comparable', because: 'this model was not measured' });
  expect(keptBack(worse!, active)).toEqual({
    kind: 'worse',
    because: 'AUC 0.842, the active one 0.8605; share of failures foreseen at 1 % false alarms 0.371, the active one 0.4135',
  });
  expect(keptBack(shadow!, active)).toBeNull();
  expect(keptBack(candidate!, undefined)).toBeNull();
});

test('a roll-back leads to the one that was active last before the present one', () => {
  expect(earlierModel(models)).toBe(retired);
  const later = { ...retired!, version: 'later', promotedAtMs: active!.promotedAtMs! + 1 };
  expect(earlierModel([later, ...models])).toBe(retired);
  expect(earlierModel([later, ...models.filter((one) => one !== active)])).toBe(later);
});
