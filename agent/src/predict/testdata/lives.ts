import type { DeviceIdentity, Reading } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';

export const dayMs = 86_400_000;
export const nowMs = Date.UTC(2026, 2, 1);

export const seagate: DeviceIdentity = {
  deviceId: 'st4000dm000-w300dy1n' as DeviceId,
  serial: 'W300DY1N',
  model: 'ST4000DM000',
  kind: 'hdd',
  transport: 'ata',
  capacityBytes: 4e12,
  firmware: 'CC52',
  path: '/dev/sda',
};

/** What one day of a drive's life differs in from an ordinary one. */
export type Day = Partial<Omit<Reading, 'smart'>> & { readonly smart?: Readonly<Record<number, number>> };

/** Readings of consecutive days, the last of them today; counters that are not given are zero, and of other attributes nothing is reported. */
export function life(days: readonly Day[], device: DeviceIdentity = seagate): Reading[] {
  return days.map((day, i) => {
    const ageDays = days.length - 1 - i;
    return {
      deviceId: device.deviceId,
      atMs: nowMs - ageDays * dayMs,
      recordedDay: null,
      source: 'smartctl',
      status: 'read',
      unreadableBecause: null,
      selfAssessmentPassed: true,
      temperatureCelsius: 31,
      powerOnHours: 20_000 - ageDays * 24,
      nvme: null,
      ...day,
      smart: { 5: 0, 10: 0, 12: 9, 187: 0, 188: 0, 189: 0, 197: 0, 198: 0, ...day.smart },
    };
  });
}

export function days(count: number, day: Day = {}): Day[] {
  return Array.from({ length: count }, () => day);
}
