import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { blockDeviceOf } from './block-device.ts';
import { MadeUpSysfs } from './testdata/made-up-sysfs.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'block-device-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const sysfs = new MadeUpSysfs(path.join(scratch, 'sys')).drive('sda').drive('nvme0n1').drive('nvme3n1').drive('nvme4n1').drive('nvme4n2');
const under = (...parts: string[]): string => {
  const directory = path.join(sysfs.root, ...parts);
  mkdirSync(directory, { recursive: true });
  return directory;
};
const of = (devicePath: string, type = 'sat') => blockDeviceOf(sysfs.root, devicePath, type);

describe('the block device of a drive', () => {
  test('is the one of its name, also through a link by its id, a partition, or its generic SCSI device', () => {
    mkdirSync(path.join(scratch, 'dev/disk/by-id'), { recursive: true });
    for (const name of ['sda', 'sda1']) writeFileSync(path.join(scratch, 'dev', name), '');
    symlinkSync('../../sda1', path.join(scratch, 'dev/disk/by-id/ata-EXAMPLE_1-part1'));
    const partition = under('devices/sda/sda1');
    writeFileSync(path.join(partition, 'partition'), '1\n');
    symlinkSync(partition, path.join(sysfs.root, 'class/block/sda1'));
    under('class/scsi_generic/sg3/device/block/sda');
    for (const name of ['/dev/sda', '/dev/sda1', '/dev/sg3', path.join(scratch, 'dev/disk/by-id/ata-EXAMPLE_1-part1')])
      expect(of(name)).toEqual({ name: 'sda' });
  });

  test('of an NVMe controller is its namespace, whose number may be another with several paths', () => {
    under('class/nvme/nvme0/nvme0n1');
    under('class/nvme/nvme1/nvme3c1n1');
    expect(of('/dev/nvme0', 'nvme')).toEqual({ name: 'nvme0n1' });
    expect(of('/dev/nvme1', 'nvme')).toEqual({ name: 'nvme3n1' });
    for (const namespace of ['nvme4n1', 'nvme4n2']) under('class/nvme/nvme4', namespace);
    expect(of('/dev/nvme4', 'nvme')).toEqual({ unknownBecause: 'nvme4 has 2 block devices, each with counters of its own: nvme4n1, nvme4n2' });
  });

  test('is not known, because a controller hides the drive, or the kernel has none', () => {
    expect(of('/dev/sda', 'megaraid,3')).toEqual({ unknownBecause: 'a controller hides the drive from the kernel (megaraid,3)' });
    expect(of('/dev/bus/0', 'sat+megaraid,12')).toMatchObject({ unknownBecause: expect.stringContaining('hides') });
    expect(of('/dev/sdz')).toEqual({ unknownBecause: 'the kernel has no block device sdz' });
    expect(of('/dev/sg9')).toEqual({ unknownBecause: 'the kernel has no block device of sg9' });
    expect(of('/dev/nvme9', 'nvme')).toEqual({ unknownBecause: 'the kernel has no block device of nvme9' });
    expect(blockDeviceOf(path.join(scratch, 'nowhere'), '/dev/sda', 'sat')).toMatchObject({ unknownBecause: 'the kernel has no block device sda' });
  });
});
