import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import { Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import type { Decisions } from '../learn/decisions.ts';
import { evaluate, monthlyDecisions, scoreByModel } from '../learn/evaluate-model.ts';
import { readChangePoints, readRecordedDrives } from '../learn/read-recorded-drives.ts';
import { dateOfDay, dayOfDate, type RecordedDrive } from '../learn/recorded-drive.ts';
import { plotFiles, reportText } from '../learn/report.ts';
import { shippedSettings } from '../learn/shipped-settings.ts';
import { trainModel } from '../learn/train-model.ts';
import { counted } from './figures.ts';
import { verb } from './session.ts';

/** The verbs that work on files alone, without a server. */
export function addLearning(models: Command): void {
  addTrain(models);
  addEvaluate(models);
}

interface TrainOptions {
  readonly data: string;
  readonly from?: string;
  readonly to?: string;
  readonly seed: string;
  readonly output: string;
}

function addTrain(models: Command): void {
  verb<TrainOptions>(models, {
    usage: 'train',
    says: 'learn from recorded lives of drives; writes a model that `dim models add` brings to the fleet',
    examples: ['models train --data drive-stats/ -o model.json', 'models train --data drive-stats/ --to 2016-01-01 --seed 7 -o model.json'],
    options: (command) =>
      command
        .requiredOption('--data <directory>', 'daily files of Backblaze Drive Stats, or a pair of change-point files')
        .option('--from <date>', 'first day to look at (YYYY-MM-DD); otherwise the first in the data')
        .option('--to <date>', 'nothing from this day on is looked at; otherwise all there is')
        .option('--seed <number>', 'with the same data and code the same seed gives the same model', '1')
        .requiredOption('-o, --output <file>', 'where to write the model'),
    async run(session, _, options) {
      const seed = wholeNumber(options.seed, '--seed');
      const drives = await readRecordedDrives(options.data);
      session.say(`  ${counted(drives.length, 'drive')} read`);
      const fromDay = options.from === undefined ? least(drives.map((drive) => drive.firstDay)) : dayGiven(options.from, '--from');
      const untilDay = options.to === undefined ? -least(drives.map((drive) => -drive.lastDay)) : dayGiven(options.to, '--to');
      const trained = trainModel(drives, { ...shippedSettings, fromDay, untilDay, seed }, (text) => session.say(`  ${text}`));
      if (trained.status === 'too-few') throw new Failure('refused', { code: 'models.too-few', message: `No model was made: ${trained.because}` });
      writeFileSync(options.output, `${JSON.stringify(trained.model)}\n`);
      const { version, trained: on } = trained.model;
      session.answer(
        { file: options.output, version, trained: on },
        () =>
          `Model ${version}, from ${counted(on.drives, 'drive')} and ${counted(on.failures, 'failure')} between ${dateOfDay(fromDay)} and ${dateOfDay(untilDay)}, is in ${options.output}.\n` +
          `How good it is on others: dim models evaluate --model ${options.output} …`,
      );
    },
  });
}

interface EvaluateOptions {
  readonly model: string;
  readonly drives?: string;
  readonly events?: string;
  readonly data?: string;
  readonly from: string;
  readonly to: string;
  readonly scores?: string;
  readonly report?: string;
}

function addEvaluate(models: Command): void {
  verb<EvaluateOptions>(models, {
    usage: 'evaluate',
    says: 'measure a model on recorded lives that it did not learn from, beside what others go by',
    examples: [
      'models evaluate --model model.json --drives drives.csv --events events.csv --from 2016-01-01 --to 2016-09-01 --json',
      'models evaluate --model model.json --data drive-stats/ --from 2024-01-01 --to 2024-04-01 --report report/',
    ],
    options: (command) =>
      command
        .requiredOption('--model <file>', 'what `dim models train` wrote')
        .option('--drives <file>', 'change points: a row per drive (with --events)')
        .option('--events <file>', 'change points: a row per change')
        .option('--data <directory>', 'in place of both: a directory as for `dim models train`')
        .requiredOption('--from <date>', 'every drive alive on the first of each month from here on is judged')
        .requiredOption('--to <date>', 'to before this day')
        .option('--scores <file>', 'also write what each drive was given: drive_id, date, p7, p30')
        .option('--report <directory>', 'also write the report for people, with its plots'),
    async run(session, _, options) {
      const model = readModel(options.model);
      const drives = await readDrives(options);
      const decisions = monthlyDecisions(drives, dayGiven(options.from, '--from'), dayGiven(options.to, '--to'));
      const scores = scoreByModel(model, decisions);
      if (options.scores !== undefined) writeFileSync(options.scores, scoresText(decisions, scores.p7, scores.p30));
      const evaluation = evaluate(decisions, scores.logOdds, scores.p30, 1);
      const text = reportText(`Model ${model.version}`, evaluation);
      if (options.report !== undefined) writeReport(options.report, text, evaluation);
      session.answer({ model: model.version, trained: model.trained, ...evaluation }, () => text);
    },
  });
}

async function readDrives({ drives, events, data }: EvaluateOptions): Promise<RecordedDrive[]> {
  if (drives !== undefined && events !== undefined) return readChangePoints(drives, events);
  if (data !== undefined) return readRecordedDrives(data);
  throw new Failure('refused', { code: 'models.no-data', message: 'No recorded lives were named.', hint: 'Give --drives and --events, or --data.' });
}

function readModel(file: string): FailureModel {
  try {
    const model = JSON.parse(readFileSync(file, 'utf8')) as FailureModel;
    if (model.format !== 1 || !Array.isArray(model.features) || !Array.isArray(model.trees?.roots)) throw new Error('it holds something else');
    return model;
  } catch (thrown) {
    throw new Failure('refused', { code: 'models.unreadable', message: `${file} is no model: ${(thrown as Error).message}`, cause: thrown });
  }
}

function scoresText({ drives, days }: Decisions, p7: Float64Array, p30: Float64Array): string {
  const lines = days.map((day, row) => `${drives[row]!.driveId},${dateOfDay(day)},${p7[row]!.toPrecision(6)},${p30[row]!.toPrecision(6)}`);
  return `drive_id,date,p7,p30\n${lines.join('\n')}${lines.length > 0 ? '\n' : ''}`;
}

function writeReport(directory: string, text: string, evaluation: ReturnType<typeof evaluate>): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'report.md'), text);
  writeFileSync(path.join(directory, 'report.json'), `${JSON.stringify(evaluation, null, 2)}\n`);
  for (const [name, svg] of Object.entries(plotFiles(evaluation))) writeFileSync(path.join(directory, name), svg);
}

function dayGiven(text: string, option: string): number {
  const day = dayOfDate(text);
  if (Number.isNaN(day)) throw new Failure('refused', { code: 'models.date', message: `${option} ${text} is no date such as 2016-01-31.` });
  return day;
}

function wholeNumber(text: string, option: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Failure('refused', { code: 'models.number', message: `${option} ${text} is no whole number.` });
  return Number(text);
}

function least(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
}
