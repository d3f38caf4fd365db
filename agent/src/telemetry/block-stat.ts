import type { KernelInterval } from '@data-in-motion/shared/domain/device';

/** `/sys/block/<name>/stat` counts in sectors of this size whatever the drive's own sector is. */
const sectorBytes = 512;

/** The kernel's running counters of one block device since it appeared, times in milliseconds (Linux, Documentation/block/stat.rst). */
export interface BlockStat {
  readonly reads: number;
  readonly readSectors: number;
  readonly readMs: number;
  readonly writes: number;
  readonly writtenSectors: number;
  readonly writeMs: number;
  readonly busyMs: number;
  /** Each request for as long as it was in the queue or at the drive. */
  readonly queuedMs: number;
  /** Since Linux 4.18. */
  readonly discards: number | null;
  readonly discardMs: number | null;
  /** Since Linux 5.5. */
  readonly flushes: number | null;
  readonly flushMs: number | null;
}

/** Read a `stat` file: one line of 11, 15 or 17 counters. Null when it is anything else, or a number is too large to be exact. */
export function parseBlockStat(text: string): BlockStat | null {
  const cells = text.trim().split(/\s+/);
  const counters = cells.map(Number);
  if (counters.length < 11 || !cells.every((cell, i) => /^\d+$/.test(cell) && Number.isSafeInteger(counters[i]))) return null;
  const at = (place: number): number => counters[place]!;
  const later = (place: number): number | null => counters[place] ?? null;
  return {
    reads: at(0),
    readSectors: at(2),
    readMs: at(3),
    writes: at(4),
    writtenSectors: at(6),
    writeMs: at(7),
    busyMs: at(9),
    queuedMs: at(10),
    discards: later(11),
    discardMs: later(14),
    flushes: later(15),
    flushMs: later(16),
  };
}

/** A counter of the SCSI layer, `0x1f`: 32 bits in hexadecimal. Null when it is anything else. */
export function parseScsiCount(text: string): number | null {
  const digits = /^0x([0-9a-f]{1,8})$/i.exec(text.trim())?.[1];
  return digits === undefined ? null : Number.parseInt(digits, 16);
}

/** Whether a counter went backwards: the host was started again, the drive plugged in again, or another one has its name now. */
export function beganAnew<Counters extends object>(before: Counters, after: Counters): boolean {
  const [was, is] = [before, after] as Record<string, number | null>[];
  return Object.keys(was!).some((name) => was![name] != null && is![name] != null && is![name]! < was![name]!);
}

/** What happened between two looks at a device whose counters did not begin anew. @param overMs above zero */
export function requestsBetween(before: BlockStat, after: BlockStat, overMs: number): Omit<KernelInterval, 'ioErrors' | 'timeouts'> {
  const grew = (name: keyof BlockStat): number | null => (before[name] === null || after[name] === null ? null : after[name] - before[name]);
  const each = (ms: keyof BlockStat, requests: keyof BlockStat): number | null => {
    const [took, many] = [grew(ms), grew(requests)];
    return took === null || many === null || many === 0 ? null : took / many;
  };
  return {
    overMs,
    reads: grew('reads')!,
    writes: grew('writes')!,
    readBytes: grew('readSectors')! * sectorBytes,
    writtenBytes: grew('writtenSectors')! * sectorBytes,
    msPerRead: each('readMs', 'reads'),
    msPerWrite: each('writeMs', 'writes'),
    msPerDiscard: each('discardMs', 'discards'),
    msPerFlush: each('flushMs', 'flushes'),
    inFlight: grew('queuedMs')! / overMs,
    busy: Math.min(1, grew('busyMs')! / overMs),
  };
}
