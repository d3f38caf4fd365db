/** Figures of models that were all measured on the same drives and months, and are equally good: each may take another's place. */
export const sameMetrics = {
  dataHash: 'same',
  from: '2016-01-01',
  to: '2016-12-01',
  auc: 0.8,
  averagePrecision: null,
  truePositiveRate: { '0.001': 0.1, '0.005': 0.2, '0.01': 0.4 },
  decisions: 1_000,
  failures: 30,
};
