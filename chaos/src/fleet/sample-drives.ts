import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type DeviceId, deviceIdOf } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';

/** A drive of the sample history, in the format of the Drive Stats daily files. */
export interface SampleDrive {
  readonly file: string;
  readonly serial: string;
  readonly model: string;
  readonly deviceId: DeviceId;
  readonly days: readonly string[];
  /** Its last day is a recorded failure. */
  readonly fails: boolean;
}

/** Every drive of every CSV in a directory, in the order of the files and of first appearance. */
export function readSampleDrives(directory: string): SampleDrive[] {
  const files = existsSync(directory)
    ? readdirSync(directory)
        .filter((name) => name.endsWith('.csv'))
        .sort()
    : [];
  if (files.length === 0) throw new Failure('refused', { code: 'sample-drives.missing', message: `There are no sample drives (*.csv) in ${directory}.` });
  return files.flatMap((name) => drivesOf(path.join(directory, name)));
}

function drivesOf(file: string): SampleDrive[] {
  const [header = '', ...lines] = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const columns = header.split(',');
  const column = (name: string): number => {
    const place = columns.indexOf(name);
    if (place < 0) throw new Failure('refused', { code: 'sample-drives.format', message: `${file} has no column ${name}.` });
    return place;
  };
  const [date, serial, model, failure] = [column('date'), column('serial_number'), column('model'), column('failure')];
  const drives = new Map<string, SampleDrive & { days: string[]; fails: boolean }>();
  for (const line of lines) {
    const cells = line.split(',');
    const name = cells[serial]!;
    const drive = drives.get(name) ?? { file, serial: name, model: cells[model]!, deviceId: deviceIdOf(cells[model]!, name), days: [], fails: false };
    drive.days.push(cells[date]!);
    drive.fails ||= cells[failure] === '1';
    drives.set(name, drive);
  }
  return [...drives.values()];
}

/** Which drives lie under each target: the dying one where the table says so, the others in their order. */
export function assignDrives(wanted: readonly (readonly (number | 'dying')[])[], drives: readonly SampleDrive[]): SampleDrive[][] {
  const dying = drives.find((drive) => drive.fails);
  const others = drives.filter((drive) => drive !== dying);
  return wanted.map((list) => list.map((which) => (which === 'dying' ? dying : others[which])).filter((drive) => drive !== undefined));
}
