import { type ComparedFeature, type ModelDrift, modelDrift } from '@data-in-motion/shared/api/models';
import type { Command } from 'commander';
import { counted, whole } from './figures.ts';
import { verb } from './session.ts';
import { table } from './table.ts';

/** `dim models drift`: whether the drives still are, and ever were, those that the model knows. */
export function addModelDrift(models: Command): void {
  verb(models, {
    usage: 'drift',
    says: "whether the drives report otherwise than in the model's first weeks here, and than those that it was trained on",
    examples: ['models drift', 'models drift --json'],
    async run(session) {
      const told = await session.api.call('modelDrift', modelDrift);
      session.answer(told, () => driftText(told));
    },
  });
}

function driftText({ look, first, features, training, trainingUnknownBecause }: ModelDrift): string {
  if (look === null) return 'No look at the fleet yet: the control plane compares its drives once a day, after a model scored them.';
  const { day, drives, version, leastDrives, watchedDays } = look;
  if (version === null) return `${day}: no failure model is active that the drives could be compared for.`;
  if (drives < leastDrives || first === null)
    return `${day}: too few drives to compare: ${drives} of at least ${leastDrives} that were watched for ${watchedDays} days or more.`;
  const unlike =
    training === null
      ? `Unlike the drives that ${version} was trained on? Unknown: ${trainingUnknownBecause}.`
      : [
          `Beside the ${counted(training.drives, 'drive')} that ${version} was trained on, ${training.from} to ${training.to}; that they differ trains no other model:`,
          shiftedTable(training.features, 'there', 'here', 'differs'),
        ].join('\n');
  return [
    `${day}, ${counted(drives, 'drive')}, ${whole(features.length)} features.`,
    `Beside the first weeks of ${version} here, ${first.from} to ${first.to}; a drift trains another model where there is data:`,
    shiftedTable(features, 'then', 'now', 'has drifted'),
    '',
    unlike,
  ].join('\n');
}

function shiftedTable(features: readonly ComparedFeature[], one: string, other: string, moved: string): string {
  const [strongest] = features;
  if (strongest === undefined) return 'Nothing was compared.';
  return table(
    features.filter((feature) => feature.driftedSince !== null),
    [
      { title: 'feature', of: (row) => row.words },
      { title: 'index', align: 'right', of: (row) => row.index.toFixed(2) },
      { title: 'bound', align: 'right', of: (row) => row.bound.toFixed(2) },
      { title: `median ${one}`, align: 'right', of: (row) => figure(row.medianBefore) },
      { title: other, align: 'right', of: (row) => figure(row.median) },
      { title: 'since', of: (row) => row.driftedSince ?? '' },
    ],
    `No feature ${moved}; the strongest shift is that of ${strongest.words} (stability index ${strongest.index.toFixed(2)}).`,
  );
}

function figure(value: number | null): string {
  return value === null ? 'not reported' : value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
