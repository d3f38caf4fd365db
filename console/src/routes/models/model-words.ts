import type { NodeView } from '@data-in-motion/shared/api/fleet';
import type { ModelView } from '@data-in-motion/shared/api/models';
import { compareMetrics } from '@data-in-motion/shared/domain/model-metrics';
import { counted, percent } from '../../lib/format/number.ts';

/** Shares of the healthy that are alarmed about, at which it was measured how many failures a model finds. */
export const alarmRates = ['0.001', '0.005', '0.01'] as const;

/** `41 %`; a figure that nobody could tell reads so. */
export function found(share: number | null): string {
  return share === null ? 'too few failures to tell' : percent(share);
}

/** `0.861` */
export function auc(metrics: ModelView['metrics']): string {
  return metrics?.auc === null || metrics?.auc === undefined ? 'not measured' : metrics.auc.toFixed(3);
}

/** What the alarms of a model do not tell, in a sentence; taken from what was measured. */
export function blindSpot(metrics: ModelView['metrics']): string {
  if (metrics === null) return 'How many failures this version misses was not measured. Copies elsewhere stay the first defence.';
  const rate = alarmRates.findLast((one) => metrics.truePositiveRate[one] !== null);
  if (rate === undefined) return 'Too little failed while it was measured to say how many failures it misses. Copies elsewhere stay the first defence.';
  const missed = 1 - metrics.truePositiveRate[rate]!;
  const of = metrics.failures > 0 ? ` (${counted(Math.round(missed * metrics.failures), 'failure')} of ${metrics.failures})` : '';
  return `${unbroken(missed)} of the failures come without an alarm, when ${unbroken(Number(rate))} of the healthy drives are alarmed about${of}. Copies elsewhere stay the first defence.`;
}

/** In running text a number stays on the line of its unit. */
function unbroken(share: number): string {
  return percent(share).replace(' ', '\u00a0');
}

/** What there would be without any model: one drive in so many fails within the horizon. */
export function baseRate(metrics: ModelView['metrics']): number | null {
  return metrics === null || metrics.decisions === 0 ? null : metrics.failures / metrics.decisions;
}

export interface KeptBack {
  /** `worse`: it foresees less on the same data; `not-comparable`: nobody knows. */
  readonly kind: 'worse' | 'not-comparable';
  readonly because: string;
}

/** Why the control plane would not let this one take the place of the active one; null when it would. */
export function keptBack(model: ModelView, active: ModelView | undefined): KeptBack | null {
  if (active === undefined || active.version === model.version) return null;
  const compared = compareMetrics(model.metrics, active.metrics);
  return compared.kind === 'not-worse' ? null : compared;
}

/** The one that a roll-back brings back: that was active last before the present one. */
export function earlierModel(models: readonly ModelView[]): ModelView | undefined {
  const active = models.find(({ state }) => state === 'active');
  return models
    .filter((one) => one.state === 'retired' && one.promotedAtMs !== null && (active === undefined || one.promotedAtMs < (active.promotedAtMs ?? 0)))
    .toSorted((a, b) => b.promotedAtMs! - a.promotedAtMs!)[0];
}

/** What agents run now: `2 agents run 0123456789ab, 1 runs rules alone`. */
export function runningWords(nodes: readonly NodeView[]): string {
  const by = new Map<string | null, number>();
  for (const { modelVersion } of nodes) by.set(modelVersion, (by.get(modelVersion) ?? 0) + 1);
  return [...by].map(([version, times]) => `${counted(times, 'agent')} ${times === 1 ? 'runs' : 'run'} ${version ?? 'rules alone'}`).join(', ');
}
