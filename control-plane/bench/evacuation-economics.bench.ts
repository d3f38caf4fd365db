/**
 * What acting on a model's probabilities would have cost on recorded drives, against never acting and against any-of-five, with 1, 2 and 3 copies.
 *
 *     node control-plane/bench/evacuation-economics.bench.ts [--scores FILE] [--drives FILE --events FILE] [--fill 0.7] [--levels WATCH,FAILING] [--json]
 *
 * The scores file has the columns `drive_id,date,p7,p30`, one row per drive and month, as `dim models evaluate --scores` writes it. Without one,
 * the drives are judged by how many of the five attributes are above zero, with the rate at which drives with so many failed among the others:
 * the least that a model should be better than. `--levels` are those that the model names its drives by, as a fleet goes by them. The drives are those of the open test (`validation-v1`), monthly from 2014-10 on.
 */

import { createHash } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { numberIn, readCsv } from '@data-in-motion/shared/read-csv';
import { decisionsOn } from '../src/learn/decisions.ts';
import { readChangePoints } from '../src/learn/read-recorded-drives.ts';
import { monthStarts, type RecordedDrive } from '../src/learn/recorded-drive.ts';
import { type EconomicsReport, evacuationEconomics, type ScoredDecision, strategies } from '../src/what-if/evacuation-economics.ts';
import { countsOf, looksAt } from './recorded-looks.ts';

const recorded = path.resolve(import.meta.dirname, '../../../shared/data/hdd-backblaze-2013-2016');
const { values: given } = parseArgs({
  options: {
    scores: { type: 'string' },
    drives: { type: 'string', default: path.join(recorded, 'dev_drives.csv.gz') },
    events: { type: 'string', default: path.join(recorded, 'dev_events.csv.gz') },
    fill: { type: 'string', default: '0.7' },
    levels: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const drives = await readChangePoints(given.drives, given.events);
const decisions = given.scores === undefined ? await judgedByCounts(drives) : await judgedByFile(drives, given.scores);
const fill = Number(given.fill);
const levels = given.levels?.split(',').map(Number);
const bytes = new Map(drives.map((drive) => [drive.driveId, Math.round(drive.capacityBytes * fill)]));
const reports = ([1, 2, 3] as const).map((copies) =>
  evacuationEconomics(decisions, {
    copies,
    bytesOn: (driveId) => bytes.get(driveId)!,
    ...(levels === undefined ? {} : { levels: { watch: levels[0]!, failing: levels[1]! } }),
  }),
);
if (given.json) console.log(JSON.stringify(reports, null, 2));
else console.log([`${decisions.length} looks at ${new Set(decisions.map((one) => one.driveId)).size} drives`, ...reports.map(reportText)].join('\n\n'));

function reportText({ copies, of }: EconomicsReport): string {
  const row = (cells: readonly string[]): string => cells.map((cell, place) => (place === 0 ? cell.padEnd(14) : cell.padStart(15))).join('');
  return [
    `${copies} ${copies === 1 ? 'copy' : 'copies'}`,
    row(['', 'empty before', 'evacuations', 'false/1000 dm', 'deaths $', 'moving $', 'elsewhere $', 'total $']),
    ...strategies.map((name) => {
      const one = of[name];
      const share = one.failures === 0 ? 0 : (100 * one.emptyBefore) / one.failures;
      const dollars = [one.deathsDollars, one.movingDollars, one.elsewhereDollars, one.totalDollars].map((each) => each.toFixed(0));
      return row([name, `${one.emptyBefore} (${share.toFixed(1)} %)`, String(one.evacuations), one.falsePer1000DriveMonths.toFixed(2), ...dollars]);
    }),
  ].join('\n');
}

async function judgedByFile(all: readonly RecordedDrive[], file: string): Promise<ScoredDecision[]> {
  const scored = new Map<string, Map<number, number>>();
  for await (const row of readCsv(file, ['drive_id', 'date', 'p30'])) {
    const [day, p30] = [dayOfDate(row.cell('date')), numberIn(row.cell('p30'))];
    if (Number.isNaN(day) || p30 === undefined) continue;
    const driveId = row.cell('drive_id');
    scored.set(driveId, (scored.get(driveId) ?? new Map<number, number>()).set(day, p30));
  }
  const days = [...new Set([...scored.values()].flatMap((looks) => [...looks.keys()]))].sort((a, b) => a - b);
  return looksAt(
    all.filter((drive) => scored.has(drive.driveId)),
    days,
    () => null,
  ).flatMap((look) => {
    const p30 = scored.get(look.driveId)!.get(look.day);
    return p30 === undefined ? [] : [{ ...look, p30 }];
  });
}

async function judgedByCounts(all: readonly RecordedDrive[]): Promise<ScoredDecision[]> {
  const isTest = (drive: RecordedDrive): boolean => BigInt(`0x${createHash('sha256').update(`validation-v1:${drive.driveId}`).digest('hex')}`) % 100n < 30n;
  const learnOn = monthStarts(dayOfDate('2014-04-01'), dayOfDate('2014-09-01'));
  const learned = decisionsOn(
    all.filter((drive) => !isTest(drive)),
    learnOn,
  );
  const counts = countsOf(learned);
  const [looks, failures] = [new Array<number>(6).fill(0), new Array<number>(6).fill(0)];
  for (const [row, count] of counts.entries()) {
    looks[count]!++;
    if (learned.daysToFailure[row]! <= 30) failures[count]!++;
  }
  const rate = looks.map((total, count) => failures[count]! / Math.max(1, total));
  return looksAt(all.filter(isTest), monthStarts(dayOfDate('2014-10-01'), dayOfDate('2016-01-01')), (count) => rate[count]!);
}
