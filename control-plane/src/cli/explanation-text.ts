import type { CopyExplanation, DatasetExplanation, ObjectiveParts, PolicyVerdictView } from '@data-in-motion/shared/api/explanation';
import { partWords } from '@data-in-motion/shared/domain/objective-words';
import { bytes, change, counted, duration, money, plain, rate, sentence, whole } from './figures.ts';
import { facts, table } from './table.ts';

/** Why each copy of a dataset is where it is, for a person. */
export function explanationText(explained: DatasetExplanation): string {
  return [
    facts([
      ['dataset', `${explained.datasetId}, ${bytes(explained.sizeBytes)}`],
      ['reads', readsText(explained)],
      ['minimised', minimisedText(explained)],
      ['billed', billedText(explained)],
      ['best', bestText(explained)],
    ]),
    ...(explained.impossible === null ? [] : [warningText(explained.impossible)]),
    ...(explained.copies.length === 0 ? ['No copies yet.'] : explained.copies.map((copy) => copyText(copy, explained.horizonDays))),
  ].join('\n\n');
}

/** What is expected of a month, and what was and what is forecast apart from each other. */
function readsText({ readsPerMonth, readBytesPerMonth, use }: DatasetExplanation): string {
  const { past, forecast, forecastShare } = use;
  if (readsPerMonth === 0 && past === null) return 'nobody reads it';
  const expected = `${reads(readsPerMonth)} of ${bytes(readsPerMonth === 0 ? 0 : readBytesPerMonth / readsPerMonth)} a month expected`;
  if (past === null) return `${expected}: as the last hours go on; too little is known of the past`;
  const share = Math.round(100 * forecastShare);
  return `${expected}: ${100 - share} % of the ${reads(past.readsPerMonth)} counted (${counted(Math.round(past.days), 'day')}) + ${share} % of the ${reads(forecast.readsPerMonth)} forecast from the last hours`;
}

function reads(number: number): string {
  return counted(Math.round(number), 'read');
}

/** The copies of the current version: what they are billed, and what counts besides. */
function minimisedText({ objectivePerMonth, billed: { minimised } }: DatasetExplanation): string {
  const besides = money(objectivePerMonth - minimised.perMonth);
  return `${money(objectivePerMonth)} a month over ${counted(minimised.copies, 'copy', 'copies')}: ${money(minimised.perMonth)} billed + ${besides} of waiting and risk that nobody bills`;
}

/** All that is paid for now, so that it can be told from what is minimised. */
function billedText({ costPerMonth, billed: { minimised, otherVersions, unusable } }: DatasetExplanation): string {
  const besides = [
    [otherVersions, 'of other versions, until they leave'],
    [unusable, 'broken or in the trash'],
  ] as const;
  const told = besides.flatMap(([{ copies, perMonth }, what]) => (copies === 0 ? [] : [`${money(perMonth)} for ${counted(copies, 'copy', 'copies')} ${what}`]));
  return `${money(costPerMonth)} a month${told.length === 0 ? '' : `: ${[`${money(minimised.perMonth)} for ${minimised.copies === 1 ? 'that copy' : 'those copies'}`, ...told].join(' + ')}`}`;
}

function bestText({ objectivePerMonth, bestObjectivePerMonth, score }: DatasetExplanation): string {
  const saving = objectivePerMonth - bestObjectivePerMonth;
  return saving > 0 ? `${money(bestObjectivePerMonth)} a month, ${money(saving)} less; score ${score.toFixed(2)} of 1` : 'what it is; score 1 of 1';
}

/** A policy that can not be met, with what helps. */
export function warningText({ text, cheapestWayOut }: PolicyVerdictView): string {
  return plain(`warning: ${sentence(text)} Cheapest way out: ${sentence(cheapestWayOut)}`);
}

function copyText(copy: CopyExplanation, horizonDays: number): string {
  const named = (Object.entries(partWords) as [keyof ObjectiveParts, string][]).filter(([part]) => copy.parts[part] !== 0);
  return [
    plain(
      `${copy.targetId}${copy.primary ? ' *' : ''}  ${copy.tier}, ${copy.siteId}, p95 ${duration(copy.latencyP95Ms)}, reads ${rate(copy.readBytesPerSec)}, writes ${rate(copy.writeBytesPerSec)}`,
    ),
    indented(
      facts([
        ['why', sentence(copy.why)],
        ['binds', copy.bindingText === '' ? '–' : sentence(copy.bindingText)],
        ['objective', `${money(copy.objectivePerMonth)} a month: ${named.map(([part, name]) => `${name} ${money(copy.parts[part])}`).join(' + ')}`],
        ...copy.flips.map((flip, place) => [place === 0 ? 'flips' : '', flip.text] as const),
      ]),
    ),
    indented(
      table(
        copy.alternatives,
        [
          { title: 'instead on', of: (row) => row.targetId },
          { title: '$/month', align: 'right', of: (row) => money(row.totalPerMonth) },
          { title: 'difference', align: 'right', of: (row) => change(row.differencePerMonth) },
          { title: 'objective', align: 'right', of: (row) => change(row.objectiveDifferencePerMonth) },
          { title: 'p95', align: 'right', of: (row) => duration(row.latencyP95Ms) },
          { title: 'difference', align: 'right', of: (row) => latencyChange(row.latencyDifferenceMs) },
          { title: 'once', align: 'right', of: (row) => money(row.cost.migrationOnce) },
          {
            title: `paid back (of ${horizonDays} d)`,
            align: 'right',
            of: (row) => (row.paybackDays === null ? 'never' : `${whole(Math.ceil(row.paybackDays))} d`),
          },
          { title: 'allowed', of: (row) => (row.allowed ? 'yes' : `no: ${row.violates.join(', ')}`) },
        ],
        'There is no other place.',
      ),
    ),
    ...(copy.placesInAll > copy.alternatives.length
      ? [`  The best ${copy.alternatives.length} of ${copy.placesInAll} other places; ${copy.placesAllowed} are allowed.`]
      : []),
  ].join('\n');
}

function latencyChange(ms: number | null): string {
  if (ms === null) return duration(null);
  return ms === 0 ? duration(0) : `${ms > 0 ? '+' : '-'}${duration(Math.abs(ms))}`;
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}
