import { existsSync } from 'node:fs';
import path from 'node:path';
import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { expect, test } from 'vitest';
import { missedBy, readDailyReads } from '../../bench/foretold-reads.ts';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';

const reads = path.resolve(import.meta.dirname, '../../../../shared/data/trace-dandi-daily/dev_to_2024-06.csv.gz');
if (!existsSync(reads)) console.log('skipped: the daily reads of a public object store are not at ../shared/data');

test.skipIf(!existsSync(reads))(
  'in a year that it was not chosen by, the default share foretells reads better than the past or the forecast alone',
  async () => {
    const all = await readDailyReads(reads);
    const year = { from: dayOfDate('2023-07-01'), until: dayOfDate('2024-07-01') };
    const missed = (forecastShare: number, aheadDays: number) => missedBy(all, year, aheadDays, { ...defaultDecisionSettings.heat, forecastShare });
    const chosen = defaultDecisionSettings.heat.forecastShare;
    const week = { both: missed(chosen, 7), past: missed(0, 7), forecast: missed(1, 7) };
    expect(week.both.deviance).toBeLessThan(week.past.deviance);
    expect(week.both.deviance).toBeLessThan(week.forecast.deviance);
    expect(week.both.looks).toBeGreaterThan(10_000);
    // A month ahead the past alone is as good by deviance, and further off in bytes.
    const month = { both: missed(chosen, 30), past: missed(0, 30), forecast: missed(1, 30) };
    expect(month.both.deviance).toBeLessThan(month.forecast.deviance / 2);
    expect(month.both.absolute).toBeLessThan(month.past.absolute);
  },
);
