import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dateOfDay, dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import { modelFault } from '@data-in-motion/shared/domain/model-fault';
import { Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import type { Decisions } from '../learn/decisions.ts';
import { type Evaluation, evaluate, monthlyDecisions, scoreByModel } from '../learn/evaluate-model.ts';
import { readChangePoints, readRecordedDrives } from '../learn/read-recorded-drives.ts';
import { type RecordedDrive } from '../learn/recorded-drive.ts';
import { type Peers, reportText } from '../learn/report.ts';
import { plotFiles } from '../learn/report-plots.ts';
import { runOpenTest } from '../learn/run-open-test.ts';
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
  readonly model?: string;
  readonly openTest?: true;
  readonly drives?: string;
  readonly events?: string;
  readonly data?: string;
  readonly from?: string;
  readonly to?: string;
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
      'models evaluate --open-test --data change-points/ --report report/',
    ],
    options: (command) =>
      command
        .option('--model <file>', 'what `dim models train` wrote')
        .option('--drives <file>', 'change points: a row per drive (with --events)')
        .option('--events <file>', 'change points: a row per change')
        .option('--data <directory>', 'in place of both: a directory as for `dim models train`')
        .option('--from <date>', 'every drive alive on the first of each month from here on is judged')
        .option('--to <date>', 'to before this day')
        .option('--open-test', 'in place of --model, --from and --to: train at four moments on some of the drives and judge the others later')
        .option('--scores <file>', 'also write what each drive was given: drive_id, date, p7, p30')
        .option('--report <directory>', 'also write the report for people, with its plots'),
    async run(session, _, options) {
      const drives = await readDrives(options);
      const result = options.openTest === true ? judgeOpenTest(drives, (text) => session.say(`  ${text}`)) : judgeByFile(drives, options);
      if (options.scores !== undefined) writeFileSync(options.scores, scoresText(result));
      const text = reportText(result.title, result.evaluation, result.peers);
      const { quality, ...more } = result.evaluation;
      const json = { title: result.title, ...quality, ...more, peers: result.peers };
      if (options.report !== undefined) writeReport(options.report, text, json, plotFiles(result.evaluation));
      session.answer(json, () => text);
    },
  });
}

interface Judged {
  readonly title: string;
  readonly decisions: Decisions;
  readonly p7: Float64Array;
  readonly p30: Float64Array;
  readonly evaluation: Evaluation;
  readonly peers: Peers;
}

function judgeOpenTest(drives: readonly RecordedDrive[], say: (text: string) => void): Judged {
  return { title: 'The open test of failure models for hard drives', ...runOpenTest(drives, { ...shippedSettings, seed: 1 }, say) };
}

function judgeByFile(drives: readonly RecordedDrive[], { model: file, from, to }: EvaluateOptions): Judged {
  if (file === undefined || from === undefined || to === undefined) {
    throw new Failure('refused', { code: 'models.no-model', message: 'Give --model, --from and --to, or --open-test.' });
  }
  const model = readModel(file);
  const decisions = monthlyDecisions(drives, dayGiven(from, '--from'), dayGiven(to, '--to'));
  const { logOdds, p7, p30 } = scoreByModel(model, decisions);
  return { title: `Failure model ${model.version}`, decisions, p7, p30, evaluation: evaluate(decisions, logOdds, p30, 1), peers: {} };
}

async function readDrives({ drives, events, data }: EvaluateOptions): Promise<RecordedDrive[]> {
  if (drives !== undefined && events !== undefined) return readChangePoints(drives, events);
  if (data !== undefined) return readRecordedDrives(data);
  throw new Failure('refused', { code: 'models.no-data', message: 'No recorded lives were named.', hint: 'Give --drives and --events, or --data.' });
}

function readModel(file: string): FailureModel {
  let model: unknown;
  try {
    model = JSON.parse(readFileSync(file, 'utf8'));
  } catch (thrown) {
    throw new Failure('refused', { code: 'models.unreadable', message: `${file} is no model: ${(thrown as Error).message}`, cause: thrown });
  }
  const fault = modelFault(model);
  if (fault !== null) throw new Failure('refused', { code: 'models.unreadable', message: `${file} is no model that can be run: ${fault}` });
  return model as FailureModel;
}

function scoresText({ decisions: { drives, days }, p7, p30 }: Judged): string {
  const lines = days.map((day, row) => `${drives[row]!.driveId},${dateOfDay(day)},${p7[row]!.toPrecision(6)},${p30[row]!.toPrecision(6)}`);
  return ['drive_id,date,p7,p30', ...lines, ''].join('\n');
}

function writeReport(directory: string, text: string, json: object, plots: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'report.md'), text);
  writeFileSync(path.join(directory, 'report.json'), `${JSON.stringify(json, null, 2)}\n`);
  for (const [name, svg] of Object.entries(plots)) writeFileSync(path.join(directory, name), svg);
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
