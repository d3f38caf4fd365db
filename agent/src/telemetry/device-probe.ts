import type { DeviceIdentity, KernelCounts, Reading } from '@data-in-motion/shared/domain/device';

/**
 * A way to ask the devices of a host. Asking changes nothing on the device and wakes no sleeping disk.
 *
 * `discover` lists what can be seen now, complete or empty, and may be called again at any time; it does not throw for a missing tool or right,
 * it lists nothing and says so once through the probe's own `note`.
 * `read` answers always: a device that sleeps, is gone or can not be understood yields a reading with that status and the reason in words.
 * It ends soon after the signal aborts, with `unreadable`.
 * `kernel` is there where the devices are this host's: what its kernel counted of one since the last call, at once and also while the device hangs.
 */
export interface DeviceProbe {
  readonly source: Reading['source'];
  /** How often there is something new to read; null: the sampler's own setting. */
  readonly readEveryMs: number | null;
  discover(): Promise<DeviceIdentity[]>;
  read(device: DeviceIdentity, signal: AbortSignal): Promise<Reading>;
  kernel?(device: DeviceIdentity): KernelCounts;
  /** Nothing is asked any more. */
  close?(): void;
}

/** Something a person may want to know about a probe or target: becomes a `note` record. */
export type Note = (severity: 'info' | 'warning' | 'error', code: string, message: string, ids?: Readonly<Record<string, string | number>>) => void;

const noValues = { selfAssessmentPassed: null, temperatureCelsius: null, powerOnHours: null, smart: {}, nvme: null } as const;

/** The reading of a device that gave no values. */
export function silentReading(
  device: DeviceIdentity,
  source: Reading['source'],
  status: 'asleep' | 'unreadable',
  because: string,
  atMs: number,
  recordedDay: string | null = null,
): Reading {
  return { deviceId: device.deviceId, atMs, recordedDay, source, status, unreadableBecause: because.slice(0, 2_000), ...noValues };
}
