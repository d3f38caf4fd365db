import { expect, test } from 'vitest';
import { compareMetrics, type ModelMetrics } from './model-metrics.ts';

const active: ModelMetrics = {
  dataHash: 'a',
  from: '2016-01-01',
  to: '2016-12-01',
  auc: 0.87,
  averagePrecision: 0.1,
  truePositiveRate: { '0.001': 0.2, '0.005': 0.35, '0.01': 0.42 },
  decisions: 1_000,
  failures: 30,
};

test('a model that foresees no less on the same data may take the place of the active one', () => {
  expect(compareMetrics(active, active)).toEqual({ kind: 'not-worse' });
});

test('a model that foresees less is named with its figures', () => {
  expect(compareMetrics({ ...active, auc: 0.8 }, active)).toEqual({ kind: 'worse', because: 'AUC 0.8, the active one 0.87' });
  const blind = { ...active, auc: 0.9, truePositiveRate: { ...active.truePositiveRate, '0.01': 0.3 } };
  expect(compareMetrics(blind, active)).toMatchObject({ kind: 'worse', because: expect.stringContaining('0.3, the active one 0.42') });
});

test('figures of different data, or none, say nothing', () => {
  for (const [candidate, before] of [
    [null, active],
    [active, null],
    [{ ...active, dataHash: 'b' }, active],
    [{ ...active, auc: null }, active],
  ] as const)
    expect(compareMetrics(candidate, before).kind).toBe('not-comparable');
});
