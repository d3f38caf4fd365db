import type { DeviceId } from './ids.ts';

export type DeviceKind = 'hdd' | 'ssd' | 'nvme';

export interface DeviceIdentity {
  readonly deviceId: DeviceId;
  readonly serial: string;
  readonly model: string;
  readonly kind: DeviceKind;
  readonly transport: 'ata' | 'nvme' | 'scsi' | 'unknown';
  readonly capacityBytes: number;
  readonly firmware: string | null;
  /** Where it was seen: `/dev/sda`, or the replayed file; may change for the same device. */
  readonly path: string;
}

/** NVMe's SMART / Health Information log (NVM Express Base Specification, log page 02h). */
export interface NvmeHealth {
  /** Bit 0 spare low, 1 temperature, 2 reliability degraded, 3 read-only, 4 backup failed, 5 persistent memory. */
  readonly criticalWarning: number | null;
  readonly availableSparePercent: number | null;
  readonly availableSpareThresholdPercent: number | null;
  /** May pass 100. */
  readonly percentageUsed: number | null;
  readonly mediaErrors: number | null;
  readonly unsafeShutdowns: number | null;
}

/** What a device reported at one moment. What it did not report is null, never zero and never NaN. */
export interface Reading {
  readonly deviceId: DeviceId;
  /** The moment of the reading in the device's life; a replayed life keeps its own dates in `recordedDay`. */
  readonly atMs: number;
  /** Day of a replayed history, `YYYY-MM-DD`; null for a live device. */
  readonly recordedDay: string | null;
  readonly source: 'smartctl' | 'replay' | 'simulated';
  readonly status: 'read' | 'asleep' | 'unreadable';
  /** Why there are no values, in words; null when status is `read`. */
  readonly unreadableBecause: string | null;
  /** The drive's own overall verdict. */
  readonly selfAssessmentPassed: boolean | null;
  readonly temperatureCelsius: number | null;
  readonly powerOnHours: number | null;
  /** SMART attribute number to raw value, packed counters already unpacked; only what was reported. */
  readonly smart: Readonly<Record<string, number>>;
  readonly nvme: NvmeHealth | null;
  /** Of a drive of this host; a replayed one has none, and an agent of before does not tell it. */
  readonly kernel?: KernelCounts | undefined;
}

/**
 * What the kernel counted of a drive's block device, as opposed to what the drive says of itself: whole commands between the host and the drive, so
 * cables and controllers show here too. What is not known is null, never zero, and `unknownBecause` says why.
 */
export interface KernelCounts {
  /** The kernel's name of it, `sda` or `nvme0n1`; null where the drive has none of its own, behind a RAID controller for instance. */
  readonly block: string | null;
  /** SCSI commands that ended with any other result than success since the drive appeared, at the last boot as a rule. Questions about its health count too. */
  readonly ioErrors: number | null;
  /** Commands that never came back in time, since then. */
  readonly timeouts: number | null;
  /** Commands that ended in any way, since then. */
  readonly commands: number | null;
  /** Since the reading before; null at the first one, and when the counters began anew in between. */
  readonly since: KernelInterval | null;
  /** In words; null when everything is known. */
  readonly unknownBecause: string | null;
}

/** What happened at a block device between two readings. */
export interface KernelInterval {
  readonly overMs: number;
  readonly ioErrors: number | null;
  readonly timeouts: number | null;
  readonly reads: number;
  readonly writes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** Mean time of a request from its arrival in the queue to its end, in milliseconds; null where there was none of the kind, or an older kernel does not count it. */
  readonly msPerRead: number | null;
  readonly msPerWrite: number | null;
  readonly msPerDiscard: number | null;
  readonly msPerFlush: number | null;
  /** Requests that waited or were served, on the average. */
  readonly inFlight: number;
  /** Share of the time in which there was any request, 0 to 1. */
  readonly busy: number;
}
