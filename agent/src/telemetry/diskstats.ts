import type { DiskStats } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';

/** The kernel's running counters of one block device since it appeared (Documentation/admin-guide/iostats.rst). */
export interface DiskCounters {
  readonly reads: number;
  readonly readBytes: number;
  readonly readMs: number;
  readonly writes: number;
  readonly writtenBytes: number;
  readonly writeMs: number;
  readonly busyMs: number;
}

/** /proc/diskstats counts in sectors of this size whatever the drive's own sector is. */
const sectorBytes = 512;

/**
 * Read /proc/diskstats: 11 counters per line before Linux 4.18, 15 with discards, 17 with flushes (5.5); the first eleven are the same in all.
 * Shorter lines are skipped: partitions had four counters, without times, before 2.6.25.
 *
 * @returns counters by kernel name (`sda`, `nvme0n1`)
 */
export function parseDiskstats(text: string): Map<string, DiskCounters> {
  const devices = new Map<string, DiskCounters>();
  for (const line of text.split('\n')) {
    const [, , name, ...cells] = line.trim().split(/\s+/);
    const counters = cells.map(Number);
    if (name === undefined || counters.length < 11 || !counters.every((value) => Number.isFinite(value) && value >= 0)) continue;
    const at = (place: number): number => counters[place]!;
    devices.set(name, {
      reads: at(0),
      readBytes: at(2) * sectorBytes,
      readMs: at(3),
      writes: at(4),
      writtenBytes: at(6) * sectorBytes,
      writeMs: at(7),
      busyMs: at(9),
    });
  }
  return devices;
}

/**
 * What a device did between two looks.
 *
 * @returns null when a counter went backwards (the device was replaced, or a 32-bit counter started again) or no time passed
 */
export function diskStatsBetween(deviceId: DeviceId, before: DiskCounters, after: DiskCounters, overMs: number, atMs: number): DiskStats | null {
  const names = ['reads', 'readBytes', 'readMs', 'writes', 'writtenBytes', 'writeMs', 'busyMs'] as const;
  if (!(overMs > 0) || names.some((name) => after[name] < before[name])) return null;
  const reads = after.reads - before.reads;
  const writes = after.writes - before.writes;
  const requestMs = after.readMs - before.readMs + (after.writeMs - before.writeMs);
  return {
    deviceId,
    atMs,
    overMs,
    reads,
    writes,
    readBytes: after.readBytes - before.readBytes,
    writtenBytes: after.writtenBytes - before.writtenBytes,
    meanLatencyMs: reads + writes === 0 ? null : requestMs / (reads + writes),
    busy: Math.min(1, (after.busyMs - before.busyMs) / overMs),
  };
}

/** The kernel's name of a device seen at a path: `/dev/sda` is `sda`; an NVMe controller `/dev/nvme0` is counted at its first namespace. */
export function kernelName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /^nvme\d+$/.test(name) ? `${name}n1` : name;
}
