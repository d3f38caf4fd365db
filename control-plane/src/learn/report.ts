import type { Evaluation, Figure, PartQuality } from './evaluate-model.ts';
import { falsePositiveRates, type Quality } from './measure.ts';

/** Other judges measured on the same decisions, by name. */
export type Peers = Readonly<Record<string, Quality>>;

const percent = (share: number | null): string => (share === null ? '–' : `${(100 * share).toPrecision(3)} %`);
const number = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
const rateTitle = (rate: string): string => `at ${100 * Number(rate)} %`;

/** An evaluation for people, in Markdown; plots are the SVG files of `report-plots.ts`, beside it. */
export function reportText(title: string, evaluation: Evaluation, peers: Peers = {}): string {
  const { quality } = evaluation;
  const interval = (figure: Figure): string => {
    const found = evaluation.intervals[figure];
    return found === null ? '' : ` [${number(found.low)}, ${number(found.high)}]`;
  };
  return [
    `# ${title}`,
    '',
    `${whole(quality.decisions)} decisions from ${evaluation.from} to ${evaluation.to}: every drive alive on the first of a month, judged by what was known then. ` +
      `${whole(quality.failures)} of them were followed by a failure within ${evaluation.horizonDays} days: a base rate of ${percent(quality.baseRate)}. ` +
      'Intervals are 95 %, from drawing whole drives.',
    '',
    '| | |',
    '|---|---|',
    `| AUC | ${number(quality.auc)}${interval('auc')} |`,
    `| average precision | ${number(quality.averagePrecision)}${interval('averagePrecision')} |`,
    ...falsePositiveRates.map(
      (rate) =>
        `| failures found ${rateTitle(rate)} false alarms | ${number(quality.truePositiveRate[rate])}${interval(rate)}, precision ${percent(quality.precision[rate])} |`,
    ),
    `| false alarms per 1,000 drive-months, ${rateTitle('0.01')} | ${evaluation.falseAlarmsPer1000Months?.toFixed(1) ?? '–'} |`,
    `| first alarm before the end, ${rateTitle('0.01')} | ${leadText(evaluation)} |`,
    '',
    `At the loudest of these thresholds ${percent(quality.truePositiveRate['0.01'] === null ? null : 1 - quality.truePositiveRate['0.01'])} of the failures come without an alarm: ` +
      'no copy may be spared because a drive looks healthy.',
    '',
    '## Beside it',
    '',
    '![failures found at rising shares of false alarms](found.svg)',
    '',
    "The threshold of the drives' own normalised values, and their own verdict, are not in these histories, so they can not be measured on them.",
    '',
    '| rule | failures found | false alarms | precision | this model at as many false alarms |',
    '|---|---:|---:|---:|---:|',
    ...evaluation.rules.map(
      (rule) =>
        `| ${rule.says} | ${percent(rule.truePositiveRate)} | ${percent(rule.falsePositiveRate)} | ${percent(rule.precision)} | ${percent(rule.modelAtSameRate)} |`,
    ),
    '',
    ...peersText(peers),
    '## What it foretells, and what happens',
    '',
    '![foretold and happened](calibration.svg)',
    '',
    '| decisions | foretold | happened |',
    '|---:|---:|---:|',
    ...evaluation.calibration.map((bin) => `| ${whole(bin.decisions)} | ${percent(bin.foretold)} | ${percent(bin.happened)} |`),
    '',
    '## By maker and model',
    '',
    ...partsText('maker', evaluation.byMaker),
    ...partsText('model', evaluation.byModel),
    '## What it can not see',
    '',
    'Drives that die without a sign in their counters; drives of makers and models that the data hardly holds; SSD and NVMe, which are judged by rules; ' +
      'temperature, vibration and the interface, which the data lacks. "Failed" includes drives that were pulled because of these very counters.',
    '',
  ].join('\n');
}

function leadText({ leadDays }: Evaluation): string {
  return leadDays === null ? '–' : `${leadDays.median} days (half of them ${leadDays.quarter} to ${leadDays.threeQuarters})`;
}

function peersText(peers: Peers): string[] {
  const names = Object.keys(peers);
  if (names.length === 0) return [];
  return [
    `| on the same decisions | AUC | ${falsePositiveRates.map((rate) => `found ${rateTitle(rate)}`).join(' | ')} |`,
    '|---|---:|---:|---:|---:|',
    ...names.map(
      (name) => `| ${name} | ${number(peers[name]!.auc)} | ${falsePositiveRates.map((rate) => number(peers[name]!.truePositiveRate[rate])).join(' | ')} |`,
    ),
    '',
  ];
}

function partsText(title: string, parts: readonly PartQuality[]): string[] {
  return [
    `| ${title} | drives | failures | base rate | AUC | found at 1 % |`,
    '|---|---:|---:|---:|---:|---:|',
    ...parts.map(
      ({ name, drives, quality }) =>
        `| ${name} | ${whole(drives)} | ${quality.failures} | ${percent(quality.baseRate)} | ${number(quality.auc)} | ${number(quality.truePositiveRate['0.01'])} |`,
    ),
    '',
  ];
}

function whole(value: number): string {
  return value.toLocaleString('en-GB');
}
