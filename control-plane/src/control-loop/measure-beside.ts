import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { ModelMetrics } from '@data-in-motion/shared/domain/model-metrics';
import { evaluate, monthlyDecisions, scoreByModel } from '../learn/evaluate-model.ts';
import type { RecordedDrive } from '../learn/recorded-drive.ts';

/**
 * What a model is on the decisions that another one was measured on: only so the two can be compared.
 *
 * @returns null where it learned from these months, and would be asked what it was told
 */
export function measuredBeside(model: FailureModel | null, other: ModelMetrics, drives: readonly RecordedDrive[], seed: number): ModelMetrics | null {
  if (model === null || model.trained.to > other.from) return null;
  const decisions = monthlyDecisions(drives, dayOfDate(other.from), dayOfDate(other.to) + 1);
  const { logOdds, p30 } = scoreByModel(model, decisions);
  const { dataHash, from, to, quality } = evaluate(decisions, logOdds, p30, seed);
  if (dataHash !== other.dataHash) return null;
  const { auc, averagePrecision, truePositiveRate, failures } = quality;
  return { dataHash, from, to, auc, averagePrecision, truePositiveRate, decisions: quality.decisions, failures };
}
