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
}

/** The kernel's counters of one block device between two looks (/proc/diskstats). */
export interface DiskStats {
  readonly deviceId: DeviceId;
  readonly atMs: number;
  readonly overMs: number;
  readonly reads: number;
  readonly writes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** Mean time of a request, milliseconds; null without requests. */
  readonly meanLatencyMs: number | null;
  /** 0 to 1 */
  readonly busy: number;
}
