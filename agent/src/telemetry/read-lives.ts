import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import type { DeviceIdentity } from '@data-in-motion/shared/domain/device';
import { type DriveMaker, driveMaker } from '@data-in-motion/shared/domain/drive-makers';
import { deviceIdOf } from '@data-in-motion/shared/domain/ids';
import { unpackRaw } from '@data-in-motion/shared/domain/unpack-raw';
import { Failure } from '@data-in-motion/shared/failure';
import { type CsvRow, numberIn, readCsv } from '@data-in-motion/shared/read-csv';
import { mostLives, type RecordedLife, type RecordedPoint } from './recorded-life.ts';

/**
 * Where recorded lives come from.
 * `daily`: Backblaze Drive Stats, one row per drive and day: `date,serial_number,model,capacity_bytes,failure,smart_N_raw…`.
 * `change-points`: one file with a row per drive, one with a row per change of its counters; days count from `firstDate` (`YYYY-MM-DD`).
 */
export type LifeSource =
  | { readonly kind: 'daily'; readonly file: string }
  | { readonly kind: 'change-points'; readonly drivesFile: string; readonly eventsFile: string; readonly firstDate: string };

/**
 * Read the recorded lives of some drives, in the order of the file.
 *
 * @param only serial numbers (`drive_id` in change points); null: all there are, up to `mostLives`
 * @throws Failure `refused` when a file is away or in another format, or when there are too many drives to replay on one host
 */
export async function readLives(source: LifeSource, only: readonly string[] | null): Promise<RecordedLife[]> {
  const wanted = only === null ? null : new Set(only);
  return source.kind === 'daily' ? readDaily(source.file, wanted) : readChangePoints(source, wanted);
}

async function readDaily(file: string, wanted: ReadonlySet<string> | null): Promise<RecordedLife[]> {
  const drives = new Map<string, { device: DeviceIdentity; points: RecordedPoint[]; failedDay: number | null }>();
  for await (const row of readCsv(file, ['date', 'serial_number', 'model', 'capacity_bytes', 'failure'])) {
    const serial = row.cell('serial_number');
    const day = dayOfDate(row.cell('date'));
    if (serial === '' || Number.isNaN(day) || (wanted !== null && !wanted.has(serial))) continue;
    let drive = drives.get(serial);
    if (drive === undefined) {
      drive = { device: identity(row.cell('model'), serial, numberIn(row.cell('capacity_bytes')) ?? 0, file), points: [], failedDay: null };
      refuseTooMany(drives.set(serial, drive).size, file);
    }
    drive.points.push(dailyPoint(day, row, driveMaker(drive.device.model)));
    if (row.cell('failure') === '1') drive.failedDay = day;
  }
  return [...drives.values()].map(({ device, points, failedDay }) => {
    points.sort((a, b) => a.day - b.day);
    return { device, points, firstDay: points[0]!.day, lastDay: failedDay ?? points.at(-1)!.day, failed: failedDay !== null };
  });
}

function dailyPoint(day: number, row: CsvRow, maker: DriveMaker): RecordedPoint {
  const cells: [number, string][] = [];
  for (const column of row.columns) {
    const attribute = /^smart_(\d{1,3})_raw$/.exec(column)?.[1];
    if (attribute !== undefined) cells.push([Number(attribute), row.cell(column)]);
  }
  return pointOf(day, cells, maker);
}

async function readChangePoints(source: Extract<LifeSource, { kind: 'change-points' }>, wanted: ReadonlySet<string> | null): Promise<RecordedLife[]> {
  const origin = dayOfDate(source.firstDate);
  if (Number.isNaN(origin)) throw new Failure('refused', { code: 'replay.format', message: `"${source.firstDate}" is no date like 2013-04-10` });
  const drives = new Map<string, { device: DeviceIdentity; points: RecordedPoint[]; firstDay: number; lastDay: number; failed: boolean }>();
  for await (const row of readCsv(source.drivesFile, ['drive_id', 'model', 'size_tb', 'first_day', 'last_day', 'failed'])) {
    const id = row.cell('drive_id');
    const [first, last] = [numberIn(row.cell('first_day')), numberIn(row.cell('last_day'))];
    if (id === '' || first === undefined || last === undefined || (wanted !== null && !wanted.has(id))) continue;
    const device = identity(row.cell('model'), id, (numberIn(row.cell('size_tb')) ?? 0) * 1e12, source.drivesFile);
    drives.set(id, { device, points: [], firstDay: origin + Math.floor(first), lastDay: origin + Math.floor(last), failed: row.cell('failed') === '1' });
    refuseTooMany(drives.size, source.drivesFile);
  }
  for await (const row of readCsv(source.eventsFile, ['drive_id', 'poh', 'day'])) {
    const drive = drives.get(row.cell('drive_id'));
    const day = numberIn(row.cell('day'));
    if (drive !== undefined && day !== undefined) drive.points.push(changePoint(origin + Math.floor(day), row, driveMaker(drive.device.model)));
  }
  const lives = [...drives.values()].filter((drive) => drive.points.length > 0);
  for (const life of lives) life.points.sort((a, b) => a.day - b.day);
  return lives;
}

function changePoint(day: number, row: CsvRow, maker: DriveMaker): RecordedPoint {
  const cells: [number, string][] = [[9, row.cell('poh')]];
  for (const column of row.columns) {
    const attribute = /^s(\d{1,3})$/.exec(column)?.[1];
    if (attribute !== undefined) cells.push([Number(attribute), row.cell(column)]);
  }
  return pointOf(day, cells, maker);
}

function pointOf(day: number, cells: readonly (readonly [number, string])[], maker: DriveMaker): RecordedPoint {
  const smart: Record<string, number> = {};
  for (const [attribute, cell] of cells) {
    const raw = numberIn(cell);
    const value = raw === undefined ? undefined : unpackRaw(attribute, raw, maker);
    if (value !== undefined) smart[attribute] = value;
  }
  return { day, powerOnHours: smart[9] ?? null, temperatureCelsius: smart[194] ?? null, smart };
}

function identity(model: string, serial: string, capacityBytes: number, path: string): DeviceIdentity {
  const kind = /nvme/i.test(model) ? 'nvme' : /ssd/i.test(model) ? 'ssd' : 'hdd';
  // Drive Stats writes -1 for a capacity that the drive did not tell.
  return {
    deviceId: deviceIdOf(model, serial),
    serial,
    model,
    kind,
    transport: kind === 'nvme' ? 'nvme' : 'ata',
    capacityBytes: Math.max(0, Math.round(capacityBytes)),
    firmware: null,
    path,
  };
}

function refuseTooMany(count: number, file: string): void {
  if (count <= mostLives) return;
  throw new Failure('refused', { code: 'replay.too-many-drives', message: `${file} holds more than ${mostLives} drives`, hint: 'name the drives to replay' });
}
