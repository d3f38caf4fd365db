import { expect, test } from 'vitest';
import { contentVersion } from '../model-identity.ts';
import { smallModel } from '../testdata/small-model.ts';
import { FailureJudge, type FailureModel } from './failure-model.ts';
import { modelFault } from './model-fault.ts';

const model = smallModel();

test('a whole model has no fault, also after a journey as text, and keeps its name there', () => {
  const arrived = JSON.parse(JSON.stringify(model)) as FailureModel;
  expect(modelFault(arrived)).toBeNull();
  expect(contentVersion(arrived)).toBe(model.version);
  expect(new FailureJudge(arrived).score([20, Number.NaN]).p30).toBeGreaterThan(new FailureJudge(arrived).score([0, 0]).p30);
});

test('a model that asks for a feature which is not known here says which', () => {
  expect(modelFault(smallModel({ features: ['smart5', 'smart999.moonPhase'] }))).toBe('it asks for features that are not known here: smart999.moonPhase');
});

test('a tree that leads back, nowhere, or to no feature is found before it is walked', () => {
  const { trees } = model;
  for (const [broken, says] of [
    [{ ...trees, left: [0, 0, 0] }, /node 0/],
    [{ ...trees, right: [3, 0, 0] }, /node 0/],
    [{ ...trees, feature: [2, -1, -1] }, /node 0/],
    [{ ...trees, roots: [3] }, /root/],
    [{ ...trees, value: [0, 0] }, /different lengths/],
    [{ ...trees, threshold: [null, 0, 0] }, /trees\.threshold/],
  ] as const)
    expect(modelFault({ ...model, trees: broken })).toMatch(says);
});

test('what is no model at all, or falls as the danger rises, is told in words', () => {
  for (const [value, says] of [
    [null, /not an object/],
    [[], /not an object/],
    [{}, /format/],
    [{ ...model, format: 2 }, /format is 2/],
    [{ ...model, base: 'x' }, /base/],
    [{ ...model, calibration: model.calibration.slice(0, 1) }, /30 days/],
    [{ ...model, calibration: [model.calibration[0], { horizonDays: 30, logOdds: [0, 1], probability: [0.5, 0.1] }] }, /rising/],
    [{ ...model, levels: { watch: 0.5, 'at-risk': 0.1, failing: 0.9 } }, /levels/],
    [{ ...model, trained: { ...model.trained, parameters: null } }, /trained on/],
  ] as const)
    expect(modelFault(value)).toMatch(says);
});

test('the distribution of the training is whole or not there; features in it that are not known here are no fault', () => {
  const spread = { feature: 'smart5', median: 0, edges: [0, 8], counts: [90, 6, 3, 1] };
  const keeping = (feature: object): FailureModel => smallModel({ distribution: { drives: 40, looks: 100, features: [feature as typeof spread] } });
  for (const whole of [spread, { ...spread, median: null, edges: [], counts: [0, 100] }, { ...spread, feature: 'smart999.moonPhase' }]) {
    const arrived = JSON.parse(JSON.stringify(keeping(whole))) as FailureModel;
    expect(modelFault(arrived)).toBeNull();
    expect(contentVersion(arrived)).toBe(arrived.version);
  }
  for (const broken of [{ edges: [8, 0] }, { counts: [90, 6, 3] }, { counts: [90, 6, 3, -1] }, { median: 'x' }, { feature: 7 }])
    expect(modelFault(keeping({ ...spread, ...broken }))).toMatch(/^its distribution of .* is not one of counts/);
  for (const broken of [null, {}, { drives: 40, looks: 0.5, features: [] }, { drives: 40, looks: 9, features: null }])
    expect(modelFault({ ...model, distribution: broken })).toBe('its distribution does not say of how many drives it is');
});
