import { readdirSync } from 'node:fs';
import path from 'node:path';
import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { HistoryBuilder } from '@data-in-motion/shared/domain/drive-history';
import { driveMaker } from '@data-in-motion/shared/domain/drive-makers';
import { Failure } from '@data-in-motion/shared/failure';
import { type CsvRow, numberIn, readCsv } from '@data-in-motion/shared/read-csv';
import { type RecordedDrive } from './recorded-drive.ts';

/** The day that the `day` columns of change-point files count from. */
const changePointsFrom = dayOfDate('2013-04-10');

interface Unfinished {
  readonly drive: Omit<RecordedDrive, 'history'>;
  readonly builder: HistoryBuilder;
}

/**
 * Read all recorded drives below a directory: a pair of change-point files (`*drives.csv`, `*events.csv`), or daily files as Backblaze publishes them
 * (`date,serial_number,model,capacity_bytes,failure,smart_N_raw…`); each may be packed (`.gz`).
 *
 * @throws Failure `refused` when there is neither, or a file is in another format
 */
export async function readRecordedDrives(directory: string): Promise<RecordedDrive[]> {
  const files = csvFilesIn(directory);
  const drives = files.find((file) => /drives\.csv(\.gz)?$/.test(file));
  const events = files.find((file) => /events\.csv(\.gz)?$/.test(file));
  if (drives !== undefined && events !== undefined) return readChangePoints(path.join(directory, drives), path.join(directory, events));
  if (files.length === 0) {
    throw new Failure('refused', {
      code: 'models.no-data',
      message: `${directory} holds no drive histories`,
      hint: 'Put daily CSV files of Backblaze Drive Stats there, or a pair of change-point files (drives.csv, events.csv).',
    });
  }
  return readDriveStats(files.map((file) => path.join(directory, file)));
}

function csvFilesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.csv(\.gz)?$/.test(name))
      .sort();
  } catch (thrown) {
    throw new Failure('refused', { code: 'models.no-data', message: `${directory} can not be read: ${(thrown as Error).message}`, cause: thrown });
  }
}

/** One row per drive, and one per change of its counters. */
export async function readChangePoints(drivesFile: string, eventsFile: string): Promise<RecordedDrive[]> {
  const drives = new Map<string, Unfinished>();
  for await (const row of readCsv(drivesFile, ['drive_id', 'model', 'size_tb', 'first_day', 'last_day', 'failed'])) {
    const [firstDay, lastDay] = [numberIn(row.cell('first_day')), numberIn(row.cell('last_day'))];
    if (firstDay === undefined || lastDay === undefined) continue;
    drives.set(row.cell('drive_id'), {
      drive: {
        driveId: row.cell('drive_id'),
        model: row.cell('model'),
        maker: driveMaker(row.cell('model')),
        capacityBytes: (numberIn(row.cell('size_tb')) ?? 0) * 1e12,
        firstDay: changePointsFrom + firstDay,
        lastDay: changePointsFrom + lastDay,
        failed: row.cell('failed') === '1',
      },
      builder: new HistoryBuilder(),
    });
  }
  for await (const row of readCsv(eventsFile, ['drive_id', 'poh', 'day'])) {
    const day = numberIn(row.cell('day'));
    const found = drives.get(row.cell('drive_id'));
    if (found === undefined || day === undefined) continue;
    found.builder.add({ day: changePointsFrom + day, powerOnHours: numberIn(row.cell('poh')) ?? null, smart: countsIn(row, /^s(\d{1,3})$/) });
  }
  return finished(drives);
}

/** One row per drive and day. A file that is read before an earlier one would turn lives around, so files are read in the order of their names. */
export async function readDriveStats(files: readonly string[]): Promise<RecordedDrive[]> {
  const drives = new Map<string, Unfinished>();
  for (const file of files) {
    for await (const row of readCsv(file, ['date', 'serial_number', 'model', 'failure'])) {
      const [day, serial] = [dayOfDate(row.cell('date')), row.cell('serial_number')];
      if (Number.isNaN(day) || serial === '') continue;
      const model = row.cell('model');
      const before = drives.get(serial);
      const builder = before?.builder ?? new HistoryBuilder();
      const capacityBytes = Math.max(0, numberIn(row.cell('capacity_bytes')) ?? 0);
      const drive = before?.drive ?? { driveId: serial, model, maker: driveMaker(model), capacityBytes, firstDay: day, lastDay: day, failed: false };
      const smart = countsIn(row, /^smart_(\d{1,3})_raw$/);
      builder.add({ day, powerOnHours: smart['9'] ?? null, smart });
      drives.set(serial, { drive: { ...drive, lastDay: Math.max(drive.lastDay, day), failed: drive.failed || row.cell('failure') === '1' }, builder });
    }
  }
  return finished(drives);
}

function countsIn(row: CsvRow, named: RegExp): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const column of row.columns) {
    const attribute = named.exec(column)?.[1];
    const value = attribute === undefined ? undefined : numberIn(row.cell(column));
    if (value !== undefined) counts[attribute!] = value;
  }
  return counts;
}

function finished(drives: ReadonlyMap<string, Unfinished>): RecordedDrive[] {
  return [...drives.values()].filter(({ builder }) => builder.history.days.length > 0).map(({ drive, builder }) => ({ ...drive, history: builder.history }));
}
