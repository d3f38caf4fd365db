import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { ModelMetrics } from '@data-in-motion/shared/domain/model-metrics';
import { evaluate, monthlyDecisions, scoreByModel } from './evaluate-model.ts';
import type { RecordedDrive } from './recorded-drive.ts';
import { shippedSettings } from './shipped-settings.ts';
import { trainModel } from './train-model.ts';

export type Retrained =
  | { readonly status: 'trained'; readonly model: FailureModel; readonly metrics: ModelMetrics }
  | { readonly status: 'too-few'; readonly because: string };

/** The last part of what is recorded is kept from the training: on it the model is measured. */
const apartDays = 120;
/** What becomes of a drive within this is to be known of every decision that is measured. */
const horizonDays = 30;

/** Train the shipped kind of model on all but the last months of what is recorded, and measure it on these. */
export function retrain(drives: readonly RecordedDrive[], seed: number, say: (text: string) => void): Retrained {
  let [firstDay, lastDay] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const drive of drives) {
    firstDay = Math.min(firstDay, drive.firstDay);
    lastDay = Math.max(lastDay, drive.lastDay);
  }
  const untilDay = lastDay - apartDays;
  if (!(untilDay > firstDay))
    return { status: 'too-few', because: `what is recorded spans no more than ${apartDays} days, which are kept to measure a model on` };
  const trained = trainModel(drives, { ...shippedSettings, fromDay: firstDay, untilDay, seed }, say);
  if (trained.status !== 'trained') return trained;
  say('measuring it on the months that were kept apart');
  const decisions = monthlyDecisions(drives, untilDay, lastDay - horizonDays);
  const { logOdds, p30 } = scoreByModel(trained.model, decisions);
  const { dataHash, from, to, quality } = evaluate(decisions, logOdds, p30, seed);
  const { auc, averagePrecision, truePositiveRate, failures } = quality;
  return {
    status: 'trained',
    model: trained.model,
    metrics: { dataHash, from, to, auc, averagePrecision, truePositiveRate, decisions: quality.decisions, failures },
  };
}
