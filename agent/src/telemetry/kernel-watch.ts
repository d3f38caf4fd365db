import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '@data-in-motion/shared/clock';
import type { DeviceIdentity, KernelCounts, KernelInterval } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { blockDeviceOf } from './block-device.ts';
import { type BlockStat, beganAnew, parseBlockStat, parseScsiCount, requestsBetween } from './block-stat.ts';

interface ScsiCounts {
  readonly ioErrors: number | null;
  readonly timeouts: number | null;
  readonly commands: number | null;
}

interface Look {
  readonly atMs: number;
  readonly block: string;
  readonly scsi: ScsiCounts;
  readonly stat: BlockStat | null;
}

/** A value, or why there is none; the reason is empty where one was given already. */
type Found<Value> = { readonly value: Value } | { readonly value: null; readonly because: string };

/**
 * The kernel's counters of this host's drives, out of sysfs, and what they grew by between two looks. Looking asks the kernel and not the drive: it
 * wakes nothing, does not hang with a drive that hangs, and never throws.
 */
export class KernelWatch {
  readonly #sysfs: string;
  readonly #clock: Clock;
  readonly #before = new Map<DeviceId, Look>();

  /** @param sysfs where sysfs is mounted, `/sys` as a rule */
  constructor(sysfs: string, clock: Clock) {
    this.#sysfs = sysfs;
    this.#clock = clock;
  }

  /** @param type how smartctl reaches the drive: `sat`, `nvme`, `megaraid,3` */
  look(device: DeviceIdentity, type: string): KernelCounts {
    const before = this.#before.get(device.deviceId);
    const block = blockDeviceOf(this.#sysfs, device.path, type);
    if ('unknownBecause' in block) {
      this.#before.delete(device.deviceId);
      return { block: null, ioErrors: null, timeouts: null, commands: null, since: null, unknownBecause: block.unknownBecause.slice(0, 2_000) };
    }
    const [stat, errors, timeouts, commands] = [this.#stat(block.name), ...this.#scsi(block.name)];
    const scsi = { ioErrors: errors.value, timeouts: timeouts.value, commands: commands.value };
    const now: Look = { atMs: this.#clock.monotonicMs(), block: block.name, scsi, stat: stat.value };
    this.#before.set(device.deviceId, now);
    const since = stat.value === null ? { value: null, because: '' } : intervalOf(before, now);
    const reasons = [stat, errors, timeouts, commands, since].flatMap((found) => (found.value === null && 'because' in found ? [found.because] : []));
    const because = [...new Set(reasons)].filter((reason) => reason !== '').join('; ');
    return { block: block.name, ...scsi, since: since.value, unknownBecause: because === '' ? null : because.slice(0, 2_000) };
  }

  #stat(block: string): Found<BlockStat> {
    return this.#read(path.join('block', block, 'stat'), parseBlockStat, 'this kernel has no stat of it');
  }

  /** libata shows its drives as SCSI ones, so these are there for SATA too (Linux, drivers/scsi/scsi_sysfs.c). */
  #scsi(block: string): [Found<number>, Found<number>, Found<number>] {
    const device = path.join('block', block, 'device');
    const missing = block.startsWith('nvme')
      ? 'the kernel counts no errors of drives on NVMe, their health log does'
      : existsSync(path.join(this.#sysfs, device))
        ? ''
        : 'the kernel counts no errors of a device that is made of others';
    const read = (name: string): Found<number> => this.#read(path.join(device, name), parseScsiCount, missing || `this kernel has no ${name}`);
    return [read('ioerr_cnt'), read('iotmo_cnt'), read('iodone_cnt')];
  }

  /** At once, not later: the kernel answers in microseconds, and two looks can not overtake each other. */
  #read<Value>(file: string, parse: (text: string) => Value | null, missing: string): Found<Value> {
    const name = path.basename(file);
    try {
      const text = readFileSync(path.join(this.#sysfs, file), 'utf8');
      const value = parse(text);
      return value === null ? { value: null, because: `${name} is not understood: "${text.trim().slice(0, 60)}"` } : { value };
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      return { value: null, because: code === 'ENOENT' || code === 'ENOTDIR' ? missing : `${name} can not be read: ${code}` };
    }
  }
}

function intervalOf(before: Look | undefined, now: Look): Found<KernelInterval> {
  if (before === undefined || before.stat === null || now.stat === null) return { value: null, because: 'there was no look before to compare with' };
  const overMs = now.atMs - before.atMs;
  if (!(overMs > 0)) return { value: null, because: 'no time passed since the last look' };
  if (before.block !== now.block || beganAnew(before.stat, now.stat) || beganAnew(before.scsi, now.scsi)) {
    return { value: null, because: 'its counters began anew since the last look' };
  }
  const grew = (name: keyof ScsiCounts): number | null => (before.scsi[name] === null || now.scsi[name] === null ? null : now.scsi[name] - before.scsi[name]);
  return { value: { ioErrors: grew('ioErrors'), timeouts: grew('timeouts'), ...requestsBetween(before.stat, now.stat, overMs) } };
}
