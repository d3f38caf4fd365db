import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { heatWindows } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy } from '@data-in-motion/shared/domain/policy';
import { hoursPerMonth } from '@data-in-motion/shared/domain/price';
import { numberIn, readCsv } from '@data-in-motion/shared/read-csv';
import type { HeatSettings } from '../src/fleet/decision-settings.ts';
import type { DatasetFacts } from '../src/fleet/snapshot.ts';
import { classifyHeat } from '../src/heat/classify-heat.ts';
import { expectedUse } from '../src/heat/expected-use.ts';

const dayMs = 86_400_000;

/** Bytes read of a dataset on each day since its first. */
export interface DailyReads {
  readonly name: string;
  /** Days since the epoch. */
  readonly firstDay: number;
  readonly bytes: readonly number[];
}

/** Columns `date`, `dataset`, `bytes_sent`; days without a row are days without a read, until the last day of the file. */
export async function readDailyReads(file: string): Promise<DailyReads[]> {
  const rows: { day: number; name: string; bytes: number }[] = [];
  for await (const row of readCsv(file, ['date', 'dataset', 'bytes_sent']))
    rows.push({ day: dayOfDate(row.cell('date')), name: row.cell('dataset'), bytes: numberIn(row.cell('bytes_sent')) ?? 0 });
  const lastDay = rows.reduce((last, { day }) => Math.max(last, day), 0);
  return [...Map.groupBy(rows, ({ name }) => name)].map(([name, own]) => {
    const firstDay = own.reduce((first, { day }) => Math.min(first, day), lastDay);
    const bytes = Array.from({ length: lastDay - firstDay + 1 }, () => 0);
    for (const row of own) bytes[row.day - firstDay]! += row.bytes;
    return { name, firstDay, bytes };
  });
}

/** How far what was expected is from what came, over all looks. */
export interface Missed {
  readonly looks: number;
  /** Σ |came − expected| / Σ came. */
  readonly absolute: number;
  /** Poisson deviance of GB a day, by Σ came: it is least for who tells the mean, which is what costs are linear in. */
  readonly deviance: number;
}

/** What is expected is taken as at least so many GB a day: nothing expected where something comes is infinitely wrong. */
const leastGbPerDay = 1e-3;

/**
 * Expect the reads of the days ahead by the same functions as decisions do, looking once a week at every dataset that was read before, and compare with what
 * came. At a look all windows hold the rate of the last day, since the record has no hours.
 *
 * @param days since the epoch, from the first look to the last day that may be looked at or foretold
 */
export function missedBy(
  all: readonly DailyReads[],
  days: { readonly from: number; readonly until: number },
  aheadDays: number,
  settings: HeatSettings,
): Missed {
  let [looks, came, off, deviance] = [0, 0, 0, 0];
  for (let today = days.from; today + aheadDays <= days.until; today += 7)
    for (const one of all) {
      if (one.firstDay >= today) continue;
      const at = today - one.firstDay;
      const expected = Math.max(
        leastGbPerDay,
        (expectedUse(classifyHeat(factsAt(one, at, settings), today * dayMs, settings)).readBytesPerMonth / 1e9 / hoursPerMonth) * 24,
      );
      const gb = sum(one.bytes, at, at + aheadDays) / 1e9 / aheadDays;
      looks++;
      came += gb;
      off += Math.abs(gb - expected);
      deviance += 2 * ((gb > 0 ? gb * Math.log(gb / expected) : 0) - (gb - expected));
    }
  return { looks, absolute: off / came, deviance: deviance / came };
}

/** As it stood at the beginning of a day: a byte counts as a read, which changes no byte. */
function factsAt({ name, firstDay, bytes }: DailyReads, at: number, { pastDays }: HeatSettings): DatasetFacts {
  const days = Math.min(pastDays, at);
  const monthly = (sum(bytes, at - days, at) / days) * (hoursPerMonth / 24);
  const yesterday = bytes[at - 1]!;
  const lastRead = bytes.findLastIndex((read, day) => day < at && read > 0);
  return {
    datasetId: name as DatasetId,
    owner: '',
    rev: 1,
    policy: defaultPolicy,
    versionId: null,
    versionMadeAtMs: null,
    objects: 0,
    sizeBytes: 0,
    unreadable: 0,
    primaryReplicaId: null,
    pointerRev: 0,
    replicas: [],
    windows: heatWindows.map((window) => {
      const read = yesterday * (window.ms / dayMs);
      return { window: window.name, reads: read, writes: 0, readBytes: read, writtenBytes: 0 };
    }),
    pastUse: monthly > 0 ? { readsPerMonth: monthly, readBytesPerMonth: monthly, days } : null,
    // A day's reads may have been at its end.
    lastAccessAtMs: lastRead < 0 ? null : (firstDay + lastRead + 1) * dayMs - 1,
    ewmaPerHour: 0,
    heatClass: null,
    heatDecidedAtMs: null,
    lastMovedAtMs: null,
    createdAtMs: 0,
  };
}

function sum(list: readonly number[], from: number, until: number): number {
  let total = 0;
  for (let at = from; at < until; at++) total += list[at] ?? 0;
  return total;
}
