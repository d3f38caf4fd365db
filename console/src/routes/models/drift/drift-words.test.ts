import { expect, test } from 'vitest';
import { fixtureDrift } from '../../../../test/fixture/drift.ts';
import { binsOf, driftSentence, unlikeSentence, value } from './drift-words.ts';

const drift = fixtureDrift(1_000_000_000_000);

test('whether the fleet drifts is one sentence, also where nobody can tell', () => {
  expect(driftSentence(drift)).toBe(
    'The drives report otherwise than in the first weeks of their model: 2 of 12 features drifted, drives made by HGST the most.',
  );
  expect(driftSentence({ ...drift, features: drift.features.slice(2) })).toBe(
    'The drives report as they did in the first weeks of their model: none of 10 features has drifted.',
  );
  expect(driftSentence({ ...drift, look: { ...drift.look!, drives: 12 }, first: null, features: [] })).toBe(
    'Too few drives to compare: 12 of at least 30 that were watched for 90 days or more.',
  );
  expect(driftSentence({ ...drift, look: null })).toMatch(/^Nobody has looked yet/);
  expect(driftSentence({ ...drift, look: { ...drift.look!, version: null }, first: null, features: [] })).toMatch(/^No failure model is active/);
});

test('whether the fleet ever was like the drives of the training is another one, and unknown of a model that keeps nothing of them', () => {
  const others = 'the 34,953 drives that model 8787f55d3e2a was trained on, from 2014-04-01 to 2016-01-01';
  expect(unlikeSentence(drift)).toBe(`This model was trained on drives unlike yours: beside ${others}, 1 of 3 features differ, capacity in TB the most.`);
  const training = drift.training!;
  expect(unlikeSentence({ ...drift, training: { ...training, features: training.features.slice(1) } })).toBe(
    `These drives report as ${others}: none of 2 features differs.`,
  );
  expect(unlikeSentence({ ...drift, training: { ...training, features: [] } })).toBe(`Too few drives to compare with ${others}.`);
  expect(unlikeSentence({ ...drift, training: null, trainingUnknownBecause: 'the model keeps no distribution' })).toBe(
    'Whether the drives are like those of the training is unknown: the model keeps no distribution.',
  );
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
