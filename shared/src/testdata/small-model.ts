import type { FailureModel } from '../domain/failure-model.ts';
import { contentVersion } from '../model-identity.ts';

/** A model of one tree with one question, whole and named as a trained one is; `change` makes others. */
export function smallModel(change: Partial<FailureModel> = {}): FailureModel {
  const model: FailureModel = {
    format: 1,
    name: 'drive-failure',
    version: '',
    features: ['smart5', 'smart197.change30'],
    base: -5,
    trees: { roots: [0], feature: [0, -1, -1], threshold: [10.5, 0, 0], left: [1, 0, 0], right: [2, 0, 0], missingLeft: [1, 0, 0], value: [0, -0.5, 3] },
    calibration: [
      { horizonDays: 7, logOdds: [-6, 0], probability: [0.0002, 0.1] },
      { horizonDays: 30, logOdds: [-6, 0], probability: [0.001, 0.4] },
    ],
    levels: { watch: 0.01, 'at-risk': 0.05, failing: 0.3 },
    trained: { dataHash: 'ab'.repeat(32), from: '2014-04-01', to: '2015-06-01', drives: 1_000, failures: 40, seed: 1, parameters: { depth: 1 } },
    ...change,
  };
  return { ...model, version: contentVersion(model) };
}
