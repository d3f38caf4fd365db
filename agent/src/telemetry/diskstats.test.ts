import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { describe, expect, test } from 'vitest';
import { diskStatsBetween, kernelName, parseDiskstats } from './diskstats.ts';

const device = 'disk' as DeviceId;
const line = (counters: string): string => `   8       0 sda ${counters}\n`;

describe('the counters of the kernel', () => {
  test('are read from lines of 11, 15 and 17 counters alike', () => {
    const eleven = '100 0 800 50 40 0 320 30 0 60 80';
    for (const counters of [eleven, `${eleven} 1 0 8 2`, `${eleven} 1 0 8 2 5 6`]) {
      expect(parseDiskstats(line(counters)).get('sda')).toEqual({
        reads: 100,
        readBytes: 409_600,
        readMs: 50,
        writes: 40,
        writtenBytes: 163_840,
        writeMs: 30,
        busyMs: 60,
      });
    }
    expect(parseDiskstats(`${line('1 2 3 4')}nonsense\n${line('a b c d e f g h i j k')}`).size).toBe(0);
  });

  test('become what a device did between two looks', () => {
    const before = parseDiskstats(line('100 0 800 50 40 0 320 30 0 60 80')).get('sda')!;
    const after = parseDiskstats(line('140 0 1600 90 40 0 320 30 0 5060 5080')).get('sda')!;
    expect(diskStatsBetween(device, before, after, 10_000, 7)).toEqual({
      deviceId: device,
      atMs: 7,
      overMs: 10_000,
      reads: 40,
      writes: 0,
      readBytes: 409_600,
      writtenBytes: 0,
      meanLatencyMs: 1,
      busy: 0.5,
    });
    expect(diskStatsBetween(device, after, after, 10_000, 7)).toMatchObject({ meanLatencyMs: null, busy: 0 });
    expect(diskStatsBetween(device, before, after, 100, 7)).toMatchObject({ busy: 1 });
  });

  test('that went backwards, or that no time passed between, say nothing', () => {
    const [high, low] = ['140 0 1600 90 40 0 320 30 0 60 80', '1 0 8 1 0 0 0 0 0 1 1'].map((counters) => parseDiskstats(line(counters)).get('sda')!);
    expect(diskStatsBetween(device, high!, low!, 1_000, 7)).toBeNull();
    expect(diskStatsBetween(device, low!, high!, 0, 7)).toBeNull();
  });

  test('stand under the names of the kernel', () => {
    expect(['/dev/sda', '/dev/nvme0', '/dev/nvme1n1', 'vda'].map(kernelName)).toEqual(['sda', 'nvme0n1', 'nvme1n1', 'vda']);
  });

  const real = path.resolve(import.meta.dirname, '../../../../shared/data/fixtures/proc/diskstats');
  if (!existsSync(real)) console.log(`skipped: a real diskstats file is not at ${real}`);
  test.skipIf(!existsSync(real))('of a real host are read whole', () => {
    const devices = parseDiskstats(readFileSync(real, 'utf8'));
    expect(devices.size).toBe(51);
    expect(devices.get('sdc')).toMatchObject({ reads: 126_552, writes: 11_822, readBytes: 1_657_779 * 512 });
  });
});
