import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type BlockStat, beganAnew, parseBlockStat, parseScsiCount, requestsBetween } from './block-stat.ts';

const eleven = '100 0 800 50 40 0 320 30 0 60 80';
const stat = (text: string): BlockStat => parseBlockStat(text)!;

describe('the counters of a block device', () => {
  test('are read from lines of 11, 15 and 17 alike; what an older kernel does not count is not known', () => {
    const common = { reads: 100, readSectors: 800, readMs: 50, writes: 40, writtenSectors: 320, writeMs: 30, busyMs: 60, queuedMs: 80 };
    expect(stat(`  ${eleven}\n`)).toEqual({ ...common, discards: null, discardMs: null, flushes: null, flushMs: null });
    expect(stat(`${eleven} 1 0 8 2`)).toEqual({ ...common, discards: 1, discardMs: 2, flushes: null, flushMs: null });
    expect(stat(`${eleven} 1 0 8 2 5 6`)).toEqual({ ...common, discards: 1, discardMs: 2, flushes: 5, flushMs: 6 });
  });

  test('are none where the line is empty, short, no numbers, negative or too large to be exact', () => {
    for (const text of ['', '\n', '1 2 3 4', 'a b c d e f g h i j k', eleven.replace('100', '-1'), eleven.replace('100', '1e3')])
      expect(parseBlockStat(text), text).toBeNull();
    expect(parseBlockStat(eleven.replace('100', '18446744073709551615'))).toBeNull();
  });

  test('become the mean time of each kind of request; without a request there is none, and it is not zero', () => {
    const before = stat(`${eleven} 1 0 8 2 5 6`);
    const after = stat('140 0 1600 90 40 0 320 30 0 5060 5080 1 0 8 2 7 36');
    expect(requestsBetween(before, after, 10_000)).toEqual({
      overMs: 10_000,
      reads: 40,
      writes: 0,
      readBytes: 409_600,
      writtenBytes: 0,
      msPerRead: 1,
      msPerWrite: null,
      msPerDiscard: null,
      msPerFlush: 15,
      inFlight: 0.5,
      busy: 0.5,
    });
    expect(requestsBetween(stat(eleven), after, 100)).toMatchObject({ busy: 1, msPerFlush: null });
  });

  test('began anew when any of them is lower than before, and not for one that was not known', () => {
    expect(beganAnew(stat(eleven), stat(eleven))).toBe(false);
    expect(beganAnew(stat(eleven), stat(`${eleven} 1 0 8 2 5 6`))).toBe(false);
    expect(beganAnew(stat(eleven), stat(eleven.replace('50', '49')))).toBe(true);
  });

  const real = path.resolve(import.meta.dirname, '../../../../shared/data/fixtures/proc/diskstats');
  if (!existsSync(real)) console.log(`skipped: a real diskstats file is not at ${real}`);
  test.skipIf(!existsSync(real))('of every device of a real host are understood', () => {
    const lines = readFileSync(real, 'utf8').trim().split('\n');
    const devices = new Map(lines.map((line) => [line.trim().split(/\s+/)[2], parseBlockStat(line.trim().split(/\s+/).slice(3).join(' '))]));
    expect([devices.size, [...devices.values()].filter((one) => one === null)]).toEqual([51, []]);
    expect(devices.get('sdc')).toMatchObject({ reads: 126_552, writes: 11_822, readSectors: 1_657_779 });
  });
});

test('a counter of the SCSI layer is hexadecimal, and nothing else is one', () => {
  expect(['0x0\n', '0x1f', '0xFFFFFFFF'].map(parseScsiCount)).toEqual([0, 31, 4_294_967_295]);
  for (const text of ['', '12', '0x', '0x1g', '-0x1', '0xfffffffff', 'none']) expect(parseScsiCount(text), text).toBeNull();
});
