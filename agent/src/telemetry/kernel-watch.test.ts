import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ManualClock } from '@data-in-motion/shared/clock';
import type { DeviceIdentity, KernelCounts } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { kernelCounts } from '@data-in-motion/shared/protocol/records';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { KernelWatch } from './kernel-watch.ts';
import { MadeUpSysfs, scsiFiles } from './testdata/made-up-sysfs.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'kernel-watch-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;
let sysfs: MadeUpSysfs;
let clock: ManualClock;
let watch: KernelWatch;
beforeEach(() => {
  sysfs = new MadeUpSysfs(path.join(scratch, `sys-${made++}`));
  clock = new ManualClock();
  watch = new KernelWatch(sysfs.root, clock);
});

const at = (devicePath: string): DeviceIdentity => ({
  deviceId: 'disk-1' as DeviceId,
  serial: '1',
  model: 'Disk',
  kind: 'hdd',
  transport: 'ata',
  capacityBytes: 4e12,
  firmware: null,
  path: devicePath,
});
/** What is told is what the wire can carry. */
const look = (device = at('/dev/sda'), type = 'sat'): KernelCounts => kernelCounts.parse(watch.look(device, type));
const stat = '100 0 800 50 40 0 320 30 0 60 80 0 0 0 0 5 6';

function change(files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) sysfs.write('sda', file, text);
}

describe("the kernel's counters of a drive", () => {
  test('are told since it appeared, and from the second look on since the one before', async () => {
    sysfs.drive('sda', scsiFiles(stat, { errors: 18, timeouts: 1, commands: 4_096 }));
    expect(look()).toEqual({
      block: 'sda',
      ioErrors: 18,
      timeouts: 1,
      commands: 4_096,
      since: null,
      unknownBecause: 'there was no look before to compare with',
    });
    await clock.advance(600_000);
    change(scsiFiles('140 0 1600 250 50 0 400 80 0 5060 6080 0 0 0 0 5 6', { errors: 20, timeouts: 1, commands: 4_200 }));
    expect(look()).toEqual({
      block: 'sda',
      ioErrors: 20,
      timeouts: 1,
      commands: 4_200,
      since: {
        overMs: 600_000,
        ioErrors: 2,
        timeouts: 0,
        reads: 40,
        writes: 10,
        readBytes: 409_600,
        writtenBytes: 40_960,
        msPerRead: 5,
        msPerWrite: 5,
        msPerDiscard: null,
        msPerFlush: null,
        inFlight: 0.01,
        busy: 5_000 / 600_000,
      },
      unknownBecause: null,
    });
  });

  test('that fell began anew: the new ones are told, and nothing since', async () => {
    sysfs.drive('sda', scsiFiles(stat, { errors: 18 }));
    look();
    await clock.advance(1_000);
    change(scsiFiles(stat, { errors: 3 }));
    expect(look()).toMatchObject({ ioErrors: 3, since: null, unknownBecause: 'its counters began anew since the last look' });
    await clock.advance(1_000);
    change(scsiFiles(stat, { errors: 4 }));
    expect(look()).toMatchObject({ since: { ioErrors: 1 } });
  });

  test('of a drive that has another name now, or was away, are not compared', async () => {
    sysfs.drive('sda', scsiFiles(stat)).drive('sdb', scsiFiles(stat));
    look();
    await clock.advance(1_000);
    expect(look(at('/dev/sdb'))).toMatchObject({ block: 'sdb', since: null });
    await clock.advance(1_000);
    expect(look(at('/dev/sdz'))).toEqual({
      block: null,
      ioErrors: null,
      timeouts: null,
      commands: null,
      since: null,
      unknownBecause: 'the kernel has no block device sdz',
    });
    await clock.advance(1_000);
    expect(look(at('/dev/sdb'))).toMatchObject({ since: null, unknownBecause: 'there was no look before to compare with' });
  });

  test('behind a controller are not those of the volume', () => {
    sysfs.drive('sda', scsiFiles(stat));
    expect(look(at('/dev/sda'), 'megaraid,3')).toMatchObject({ block: null, unknownBecause: 'a controller hides the drive from the kernel (megaraid,3)' });
  });

  test('on NVMe are times and no errors; those of a device made of others neither, nor what an older kernel does not count', async () => {
    sysfs.drive('nvme0n1', { stat });
    mkdirSync(path.join(sysfs.root, 'class/nvme/nvme0/nvme0n1'), { recursive: true });
    const flash = at('/dev/nvme0');
    look(flash, 'nvme');
    await clock.advance(1_000);
    const counted = { ioErrors: null, timeouts: null, commands: null, since: { reads: 0, ioErrors: null, msPerRead: null } };
    expect(look(flash, 'nvme')).toMatchObject({ ...counted, unknownBecause: 'the kernel counts no errors of drives on NVMe, their health log does' });

    sysfs.drive('md0', { stat });
    rmSync(path.join(sysfs.root, 'devices/md0/device'), { recursive: true });
    expect(look({ ...at('/dev/md0'), deviceId: 'disk-2' as DeviceId }).unknownBecause).toMatch(
      /^the kernel counts no errors of a device that is made of others; there was no look/,
    );

    sysfs.drive('sda', scsiFiles(stat, { errors: 1 }));
    rmSync(path.join(sysfs.root, 'devices/sda/device/iotmo_cnt'));
    expect(look({ ...at('/dev/sda'), deviceId: 'disk-3' as DeviceId })).toMatchObject({
      ioErrors: 1,
      timeouts: null,
      unknownBecause: expect.stringMatching(/^this kernel has no iotmo_cnt/),
    });
  });

  test('that are nonsense are not known, each for its reason, and the others count', async () => {
    sysfs.drive('sda', { ...scsiFiles(stat), 'device/ioerr_cnt': '', 'device/iotmo_cnt': 'many\n', 'device/iodone_cnt': '0xffffffffffffffff\n' });
    look();
    await clock.advance(1_000);
    const { since, unknownBecause, ...counts } = look();
    expect(counts).toEqual({ block: 'sda', ioErrors: null, timeouts: null, commands: null });
    expect(since).toMatchObject({ ioErrors: null, timeouts: null, reads: 0 });
    expect(unknownBecause).toBe('ioerr_cnt is not understood: ""; iotmo_cnt is not understood: "many"; iodone_cnt is not understood: "0xffffffffffffffff"');

    for (const text of ['', 'none', '1 2 3', stat.replace('100', '99999999999999999999')]) {
      change({ ...scsiFiles(stat, { errors: 7 }), stat: text });
      expect(look(), text).toMatchObject({ ioErrors: 7, since: null, unknownBecause: expect.stringMatching(/^stat is not understood/) });
    }
  });

  test('that are a directory are not known', () => {
    sysfs.drive('sda', scsiFiles(stat));
    rmSync(path.join(sysfs.root, 'devices/sda/stat'));
    mkdirSync(path.join(sysfs.root, 'devices/sda/stat'));
    expect(look()).toMatchObject({ ioErrors: 0, since: null, unknownBecause: 'stat can not be read: EISDIR' });
  });
});
