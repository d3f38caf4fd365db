/**
 * Which share of past and forecast foretells reads best: on the reads of a public object store (DANDI, daily bytes of 475 data sets), looked at once a week
 * with the functions that decide. The share is chosen on the looks until July 2023, the year after that shows how it does on what it was not chosen by.
 *
 *     node control-plane/bench/past-and-forecast.bench.ts [--reads FILE]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { defaultDecisionSettings } from '../src/fleet/decision-settings.ts';
import { missedBy, readDailyReads } from './foretold-reads.ts';

const recorded = path.resolve(import.meta.dirname, '../../../shared/data/trace-dandi-daily/dev_to_2024-06.csv.gz');
const { values: given } = parseArgs({ options: { reads: { type: 'string', default: recorded } } });
const all = await readDailyReads(given.reads);
const parts = {
  chosen: { from: dayOfDate('2021-06-19'), until: dayOfDate('2023-07-01') },
  unseen: { from: dayOfDate('2023-07-01'), until: dayOfDate('2024-07-01') },
} as const;

for (const aheadDays of [7, 30])
  for (const [name, days] of Object.entries(parts)) {
    console.log(`\n${aheadDays} days ahead, ${name}: forecast share, deviance, absolute`);
    for (let tenths = 0; tenths <= 10; tenths++) {
      const missed = missedBy(all, days, aheadDays, { ...defaultDecisionSettings.heat, forecastShare: tenths / 10 });
      console.log(`${(tenths / 10).toFixed(1)}  ${missed.deviance.toFixed(3)}  ${missed.absolute.toFixed(3)}  (${missed.looks} looks)`);
    }
  }
