import type { ComparedFeature } from '@data-in-motion/shared/domain/compared-feature';
import type { FirstLooks } from '@data-in-motion/shared/domain/feature-distribution';
import type { ModelVersion } from '@data-in-motion/shared/domain/ids';
import { compareFeatures, hasDrifted } from '../learn/feature-drift.ts';
import { featureInWords } from '../learn/feature-words.ts';
import { firstLooksWith } from '../learn/first-looks.ts';
import { endAlert, isAlertOpen, raiseAlert } from '../store/alerts.ts';
import type { Tx } from '../store/database.ts';
import { pastDrift, readFirstLooks, storeDriftLook, storeFirstLooks } from '../store/drift-looks.ts';
import { appendEvents } from '../store/events.ts';
import type { FleetLook } from './score-drives.ts';

const rule = 'model.drift';
const subject = 'fleet';
const named = 5;

const dayMs = 86_400_000;

/**
 * Keep how the drives report beside the two things that a model knows of drives: how this fleet was in the first weeks in which it was active, and those
 * that it was trained on. A fleet that became another one is an alert until it is over, and asks for another model. One that never was like the
 * drives of the training is told once for each model and asks for nothing: it always was so, and what came of the alarms says whether it matters.
 *
 * @returns whether it is new that the fleet became another one
 */
export async function tellDrift(tx: Tx, nowMs: number, { model, drives }: FleetLook): Promise<boolean> {
  const day = Math.floor(nowMs / dayMs);
  const version = (model?.version ?? null) as ModelVersion | null;
  const first = version === null ? null : await firstWeeks(tx, version, day, drives);
  const features = first === null ? [] : compareFeatures(first.distribution, drives);
  const besideTraining = model?.distribution === undefined ? null : compareFeatures(model.distribution, drives);
  if (version !== null) await tellUnlike(tx, nowMs, version, besideTraining ?? []);
  await storeDriftLook(tx, { day, atMs: nowMs, drives: drives.length, version, features, besideTraining });

  const drifted = features.filter(hasDrifted);
  if (drifted.length === 0) {
    await endAlert(tx, nowMs, rule, subject);
    return false;
  }
  const text = `The drives of the fleet report otherwise than in the first weeks of the failure model ${version}: ${inWords(drifted, ['then', 'now'])}.`;
  const isNew = !(await isAlertOpen(tx, rule, subject));
  const ids = { features: drifted.map((one) => one.feature).join(' ') };
  await raiseAlert(tx, nowMs, { rule, subject, severity: 'warning', text, ids });
  if (isNew) await appendEvents(tx, nowMs, [{ type: 'model.drift', severity: 'warning', text, ids, by: 'control-plane' }]);
  return isNew;
}

/** What is known of the first weeks of a model, after this look has counted for them where it falls into them. */
async function firstWeeks(tx: Tx, version: ModelVersion, day: number, drives: FleetLook['drives']): Promise<FirstLooks | null> {
  const known = await readFirstLooks(tx, version);
  const looks = firstLooksWith(known, day, drives);
  if (looks !== null && looks !== known) await storeFirstLooks(tx, version, looks);
  return looks;
}

/** Once: no look of this model saw it before. */
async function tellUnlike(tx: Tx, nowMs: number, version: ModelVersion, features: readonly ComparedFeature[]): Promise<void> {
  const unlike = features.filter(hasDrifted);
  if (unlike.length === 0 || (await pastDrift(tx)).some((look) => look.version === version && look.unlike.length > 0)) return;
  const text =
    `The failure model ${version} was trained on drives unlike yours: ${unlike.length} of ${features.length} features differ, ` +
    `${inWords(unlike, ['there', 'here'])}. What it foretells may be too high or too low; what came of its alarms tells.`;
  const ids = { features: unlike.map((one) => one.feature).join(' '), version };
  await appendEvents(tx, nowMs, [{ type: 'model.unlike', severity: 'warning', text, ids, by: 'control-plane' }]);
}

/** The strongest of them, with their medians at the two. */
function inWords(features: readonly ComparedFeature[], [one, other]: readonly [string, string]): string {
  const at = (value: number | null): string => (value === null ? 'not reported' : value.toLocaleString('en-GB', { maximumSignificantDigits: 3 }));
  const told = features
    .slice(0, named)
    .map(
      ({ feature, index, median, medianBefore }) =>
        `${featureInWords(feature)} (stability index ${index.toFixed(2)}, median ${at(medianBefore)} ${one}, ${at(median)} ${other})`,
    );
  return `${told.join('; ')}${features.length > named ? `; and ${features.length - named} more` : ''}`;
}
