import { type DriftedFeature, featureDrift } from '../learn/feature-drift.ts';
import { featureInWords } from '../learn/feature-words.ts';
import { endAlert, isAlertOpen, raiseAlert } from '../store/alerts.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/events.ts';
import type { FleetLooks } from './score-drives.ts';

const rule = 'model.drift';
const subject = 'fleet';
const named = 5;

/** Say that the drives are not any more those that the models were trained on, once until it is over. @returns whether that is new */
export async function tellDrift(tx: Tx, nowMs: number, { before, now }: FleetLooks): Promise<boolean> {
  const drifted = featureDrift(before, now);
  if (drifted.length === 0) {
    await endAlert(tx, nowMs, rule, subject);
    return false;
  }
  const text = `The drives of the fleet report otherwise than a month ago: ${drifted.slice(0, named).map(inWords).join('; ')}${drifted.length > named ? `; and ${drifted.length - named} more` : ''}.`;
  const isNew = !(await isAlertOpen(tx, rule, subject));
  await raiseAlert(tx, nowMs, { rule, subject, severity: 'warning', text, ids: { features: drifted.map((one) => one.feature).join(' ') } });
  if (isNew) await appendEvents(tx, nowMs, [{ type: 'model.drift', severity: 'warning', text, ids: {}, by: 'control-plane' }]);
  return isNew;
}

function inWords({ feature, index, median, medianBefore }: DriftedFeature): string {
  const at = (value: number | null): string => (value === null ? 'not reported' : value.toLocaleString('en-GB', { maximumSignificantDigits: 3 }));
  return `${featureInWords(feature)} (stability index ${index.toFixed(2)}, median ${at(medianBefore)} before, ${at(median)} now)`;
}
