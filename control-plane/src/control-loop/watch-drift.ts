import type { ComparedFeature } from '@data-in-motion/shared/domain/compared-feature';
import { compareFeatures, hasDrifted } from '../learn/feature-drift.ts';
import { featureInWords } from '../learn/feature-words.ts';
import { endAlert, isAlertOpen, raiseAlert } from '../store/alerts.ts';
import type { Tx } from '../store/database.ts';
import { storeDriftLook } from '../store/drift-looks.ts';
import { appendEvents } from '../store/events.ts';
import type { FleetLooks } from './score-drives.ts';

const rule = 'model.drift';
const subject = 'fleet';
const named = 5;

const dayMs = 86_400_000;

/**
 * Keep how the drives report now beside before, and where they report otherwise say that they are not any more those that the models were trained on:
 * once until it is over.
 *
 * @returns whether that is new
 */
export async function tellDrift(tx: Tx, nowMs: number, { before, now }: FleetLooks): Promise<boolean> {
  const features = compareFeatures(before, now);
  await storeDriftLook(tx, { day: Math.floor(nowMs / dayMs), atMs: nowMs, drives: now.length, features });
  const drifted = features.filter(hasDrifted);
  if (drifted.length === 0) {
    await endAlert(tx, nowMs, rule, subject);
    return false;
  }
  const text = `The drives of the fleet report otherwise than a month ago: ${drifted.slice(0, named).map(inWords).join('; ')}${drifted.length > named ? `; and ${drifted.length - named} more` : ''}.`;
  const isNew = !(await isAlertOpen(tx, rule, subject));
  const ids = { features: drifted.map((one) => one.feature).join(' ') };
  await raiseAlert(tx, nowMs, { rule, subject, severity: 'warning', text, ids });
  if (isNew) await appendEvents(tx, nowMs, [{ type: 'model.drift', severity: 'warning', text, ids, by: 'control-plane' }]);
  return isNew;
}

function inWords({ feature, index, median, medianBefore }: ComparedFeature): string {
  const at = (value: number | null): string => (value === null ? 'not reported' : value.toLocaleString('en-GB', { maximumSignificantDigits: 3 }));
  return `${featureInWords(feature)} (stability index ${index.toFixed(2)}, median ${at(medianBefore)} before, ${at(median)} now)`;
}
