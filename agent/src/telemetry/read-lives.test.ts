import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { dateOfDay, dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { Failure } from '@data-in-motion/shared/failure';
import { afterAll, describe, expect, test } from 'vitest';
import { readLives } from './read-lives.ts';
import { answerOn } from './recorded-life.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'lives-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const real = path.resolve(import.meta.dirname, '../../../../shared/data');
const keep = (name: string, text: string): string => {
  const file = path.join(scratch, name);
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
  return file;
};

describe('recorded lives', () => {
  test('in daily rows, of two drives, one of which fails', async () => {
    const file = keep(
      'daily.csv',
      'date,serial_number,model,capacity_bytes,failure,datacenter,smart_5_normalized,smart_5_raw,smart_9_raw,smart_188_raw\n' +
        '2020-01-01,A1,ST4000DM000,4000787030016,0,x,100,0,100,4295032833\n2020-01-01,B2,EXAMPLE SSD,-1,0,x,100,,,\n\n' +
        '2020-01-03,A1,ST4000DM000,4000787030016,1,x,100,16,148,4295032833\n',
    );
    const [a, b] = await readLives({ kind: 'daily', file }, null);
    expect(a).toMatchObject({ device: { serial: 'A1', kind: 'hdd', capacityBytes: 4_000_787_030_016 }, failed: true, lastDay: dayOfDate('2020-01-03') });
    expect(a!.points[0]).toMatchObject({ powerOnHours: 100, smart: { 5: 0, 9: 100, 188: 1 } });
    expect(answerOn(a!, dayOfDate('2019-12-31'))).toBe('not-yet');
    expect(answerOn(a!, dayOfDate('2020-01-02'))).toMatchObject({ powerOnHours: 124, smart: { 5: 0 } });
    expect(answerOn(a!, dayOfDate('2020-01-03'))).toMatchObject({ smart: { 5: 16 } });
    expect(answerOn(a!, dayOfDate('2020-01-04'))).toBe('dead');
    expect(b).toMatchObject({ device: { kind: 'ssd', capacityBytes: 0 }, failed: false });
    expect(answerOn(b!, dayOfDate('2021-01-01'))).toMatchObject({ day: dayOfDate('2020-01-01'), smart: {} });
  });

  test('as changes, packed, of the drives that were asked for', async () => {
    const drivesFile = keep(
      'drives.csv.gz',
      'drive_id,model,manufacturer,size_tb,first_day,first_poh,last_day,last_poh,failed\n7,ST4000DM000,ST,4.0,0,10,20,490,1\n8,ST4000DM000,ST,4.0,0,10,20,490,0\n',
    );
    const eventsFile = keep('events.csv.gz', 'drive_id,poh,day,s5,s197\n7,10,0.0,0,\n8,10,0.0,0,\n7,250,10.2,8,16\n');
    const lives = await readLives({ kind: 'change-points', drivesFile, eventsFile, firstDate: '2013-04-10' }, ['7']);
    expect(lives).toHaveLength(1);
    expect(dateOfDay(lives[0]!.lastDay)).toBe('2013-04-30');
    expect(answerOn(lives[0]!, dayOfDate('2013-04-22'))).toMatchObject({ powerOnHours: 298, smart: { 5: 8, 197: 16 } });
  });

  test('that are missing, or in another format, are refused with what is wrong', async () => {
    const refused = async (file: string): Promise<Failure> => {
      const thrown = await readLives({ kind: 'daily', file }, null).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(Failure);
      return thrown as Failure;
    };
    expect((await refused(path.join(scratch, 'none.csv'))).code).toBe('replay.unreadable');
    expect((await refused(path.join(scratch, 'none.csv.gz'))).code).toBe('replay.unreadable');
    expect((await refused(keep('other.csv', 'a,b\n1,2\n'))).message).toContain('has no column date, serial_number');
    writeFileSync(path.join(scratch, 'torn.csv.gz'), gzipSync('date,serial_number\n').subarray(0, 20));
    expect((await refused(path.join(scratch, 'torn.csv.gz'))).kind).toBe('refused');
  });
});

const history = path.join(real, 'hdd-backblaze-2013-2016');
const raw = path.join(real, 'hdd-backblaze-2013-daily/sample_original_format_2013-05-14.csv');
const present = existsSync(history) && existsSync(raw);
if (!present) console.log(`skipped: recorded lives of real drives are not at ${real}`);

describe.skipIf(!present)('recorded lives of real drives', () => {
  test('are read from the change-point history', async () => {
    const source = {
      kind: 'change-points',
      drivesFile: path.join(history, 'dev_drives.csv.gz'),
      eventsFile: path.join(history, 'dev_events.csv.gz'),
      firstDate: '2013-04-10',
    } as const;
    const [life] = await readLives(source, ['1']);
    expect(life).toMatchObject({ device: { model: 'Hitachi HDS5C3030ALA630', capacityBytes: 3e12 }, failed: false });
    expect(life!.points.map((point) => point.smart[12])).toEqual([undefined, 12, 13, 16, 17]);
    await expect(readLives(source, null)).rejects.toMatchObject({ code: 'replay.too-many-drives' });
  });

  test('are read from an original day of Drive Stats', async () => {
    const lives = await readLives({ kind: 'daily', file: raw }, null);
    expect(lives.length).toBe(210);
    expect(lives.filter((life) => life.failed)).toHaveLength(6);
    expect(lives.find((life) => life.device.serial === 'MJ0351YNG9Z7LA')!.points[0]!.smart).toMatchObject({ 5: 0, 9: 4_409 });
  });
});
