import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { afterAll, describe, expect, test } from 'vitest';
import { failedWithin } from './decisions.ts';
import { openTestFolds } from './open-test.ts';
import { readRecordedDrives } from './read-recorded-drives.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'dim-lives-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;

function directoryWith(files: Record<string, string>): string {
  const directory = mkdtempSync(path.join(scratch, `${made++}-`));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), text);
  return directory;
}

describe('recorded drives', () => {
  test('are read from daily files, one life over all of them', async () => {
    const header = 'date,serial_number,model,capacity_bytes,failure,smart_5_raw,smart_9_raw,smart_188_raw,smart_197_raw';
    const directory = directoryWith({
      '2020-01-01.csv': `${header}\n2020-01-01,A1,ST4000DM000,4000787030016,0,0,100,,0\n2020-01-01,B2,HGST HMS5C4040,-1,0,3,7,,\n`,
      '2020-01-02.csv': `${header}\n2020-01-02,A1,ST4000DM000,4000787030016,1,8,124,4295032833,16\n\n2020-01-02,,ST4000DM000,1,0,0,1,,0\n`,
    });
    const [a, b, ...more] = await readRecordedDrives(directory);
    expect(more).toEqual([]);
    expect(a).toMatchObject({ driveId: 'A1', maker: 'seagate', firstDay: dayOfDate('2020-01-01'), lastDay: dayOfDate('2020-01-02'), failed: true });
    expect(a!.history.counts[0]).toEqual([0, 8]);
    expect(a!.history.counts[4]).toEqual([Number.NaN, 1]);
    expect(b).toMatchObject({ driveId: 'B2', maker: 'hgst', capacityBytes: 0, failed: false });
  });

  test('are read from change points', async () => {
    const directory = directoryWith({
      'x_drives.csv':
        'drive_id,model,manufacturer,size_tb,first_day,first_poh,last_day,last_poh,failed\n7,WDC WD30EFRX,WDC,3.0,10,100,20.5,350,1\n8,ST1,ST,1,0,1,2,3,0\n',
      'x_events.csv': 'drive_id,poh,day,s5,s197\n7,100,10,0,\n7,200,14.2,,2\n9,1,1,1,1\n',
    });
    const drives = await readRecordedDrives(directory);
    expect(drives.map((drive) => [drive.driveId, drive.maker, drive.failed])).toEqual([['7', 'wdc', true]]);
    expect(drives[0]!.history.days).toEqual([dayOfDate('2013-04-10') + 10, dayOfDate('2013-04-10') + 14.2]);
  });

  test('that are not there, or something else, are refused in words', async () => {
    await expect(readRecordedDrives(path.join(scratch, 'away'))).rejects.toMatchObject({ kind: 'refused', code: 'models.no-data' });
    await expect(readRecordedDrives(directoryWith({}))).rejects.toMatchObject({ code: 'models.no-data' });
    await expect(readRecordedDrives(directoryWith({ 'a.csv': 'name,colour\nx,red\n' }))).rejects.toMatchObject({ kind: 'refused' });
  });
});

const histories = path.resolve(import.meta.dirname, '../../../../shared/data/hdd-backblaze-2013-2016');
if (!existsSync(histories)) console.log('skipped: the recorded lives of real drives are not at ../shared/data');

test.skipIf(!existsSync(histories))(
  'the open test over real drives holds the decisions and failures that all its figures are told of',
  { timeout: 60_000 },
  async () => {
    const { training, folds } = openTestFolds(await readRecordedDrives(histories));
    expect(training.length).toBe(33_712);
    expect(folds.map(({ decisions }) => decisions.days.length)).toEqual([25_238, 27_291, 29_148, 64_170]);
    expect(folds.reduce((sum, { decisions }) => sum + failedWithin(decisions, 30).reduce((failures, one) => failures + one, 0), 0)).toBe(341);
  },
);
