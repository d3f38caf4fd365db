import { expect, test } from 'vitest';
import { fixtureDrift } from '../../../../test/fixture/drift.ts';
import { binsOf, driftSentence, value } from './drift-words.ts';

const drift = fixtureDrift(1_000_000_000_000);

test('whether the fleet drifts is one sentence, also where nobody can tell', () => {
  expect(driftSentence(drift)).toBe('The drives report otherwise than 22 days before: 2 of 12 features drifted, drives made by HGST the most.');
  expect(driftSentence({ ...drift, features: drift.features.slice(2) })).toBe('The drives report as they did 22 days before: none of 10 features has drifted.');
  expect(driftSentence({ ...drift, look: { ...drift.look!, drives: 12 }, features: [] })).toBe(
    'Too few drives to compare: 12 of at least 30 that were watched for 112 days or more.',
  );
  expect(driftSentence({ ...drift, look: null })).toMatch(/^Nobody has looked yet/);
});

test('bins are named by their values, the drives that do not report stand last, and bins that hold nobody are left out', () => {
  const uncorrectable = drift.features.find(({ feature }) => feature === 'smart187')!;
  expect(binsOf(uncorrectable).map(({ name }) => name)).toEqual(['up to 0', '0 to 1', '1 to 4', 'above 4', 'not reported']);
  expect(binsOf(uncorrectable).at(-1)).toEqual({ name: 'not reported', before: 0.06, now: 0.28 });
  expect(binsOf(drift.features[0]!).map(({ name }) => name)).toEqual(['up to 0', 'above 0']);
  expect(binsOf({ ...uncorrectable, edges: [], sharesBefore: [1, 0], shares: [0.4, 0.6] }).map(({ name }) => name)).toEqual(['any value', 'not reported']);
});

test('a value that nobody reports is none', () => {
  expect([value(null), value(0), value(1234.56), value(0.01234)]).toEqual(['not reported', '0', '1,230', '0.0123']);
});
