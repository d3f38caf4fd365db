/** False alarm rates, as shares, at which it is told how many failures a model foresees. */
export const falsePositiveRates = ['0.001', '0.005', '0.01'] as const;

/** How well a model foretold, on drives and months that it did not learn from. A figure is null where too little happened to tell it. */
export interface ModelMetrics {
  /** Names the decisions it was measured on; figures of different ones can not be compared. */
  readonly dataHash: string;
  /** First and last day of the decisions, `2016-01-01`. */
  readonly from: string;
  readonly to: string;
  readonly auc: number | null;
  readonly averagePrecision: number | null;
  /** Share of the failures that is foreseen, by the share of the healthy that is alarmed about. */
  readonly truePositiveRate: Readonly<Record<(typeof falsePositiveRates)[number], number | null>>;
  readonly decisions: number;
  readonly failures: number;
}

export type Comparison =
  | { readonly kind: 'not-worse' }
  | { readonly kind: 'worse'; readonly because: string }
  | { readonly kind: 'not-comparable'; readonly because: string };

/** Whether a model may take the place of the active one: it must have been measured on the same decisions, and foresee no less. */
export function compareMetrics(candidate: ModelMetrics | null, active: ModelMetrics | null): Comparison {
  if (candidate === null) return { kind: 'not-comparable', because: 'this model was not measured' };
  if (active === null) return { kind: 'not-comparable', because: 'the active model was not measured' };
  if (candidate.dataHash !== active.dataHash)
    return { kind: 'not-comparable', because: `this model was measured on ${spanOf(candidate)}, the active one on ${spanOf(active)}` };
  const figures = [
    { name: 'AUC', of: candidate.auc, before: active.auc },
    { name: 'share of failures foreseen at 1 % false alarms', of: candidate.truePositiveRate['0.01'], before: active.truePositiveRate['0.01'] },
  ];
  const missing = figures.find(({ of, before }) => of === null || before === null);
  if (missing !== undefined) return { kind: 'not-comparable', because: `its ${missing.name} is not known for both` };
  const worse = figures.filter(({ of, before }) => of! < before!).map(({ name, of, before }) => `${name} ${of}, the active one ${before}`);
  return worse.length === 0 ? { kind: 'not-worse' } : { kind: 'worse', because: worse.join('; ') };
}

function spanOf({ from, to, decisions, dataHash }: ModelMetrics): string {
  return `${decisions} decisions from ${from} to ${to} (data ${dataHash.slice(0, 12)})`;
}
