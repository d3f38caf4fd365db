import type { Acknowledgement } from '@data-in-motion/shared/domain/acknowledgement';
import type { Reading } from '@data-in-motion/shared/domain/device';

export interface Unacknowledged {
  /** The readings with what was acknowledged taken off their counters, never below zero. */
  readonly readings: readonly Reading[];
  /** What was taken off the newest one, by the names of reasons: `smart.197`, `nvme.mediaErrors`. */
  readonly takenOff: Readonly<Record<string, number>>;
}

/**
 * Take acknowledged counts off the readings of a device. Of a counter that fell since, no more is taken off than it fell to:
 * the next damage must not hide below what once was there.
 *
 * @param readings of one device, in the order in which they were taken
 */
export function withoutAcknowledged(readings: readonly Reading[], acknowledged: Acknowledgement | null): Unacknowledged {
  if (acknowledged === null || Object.keys(acknowledged.counts).length === 0) return { readings, takenOff: {} };
  const baseline = new Map(Object.entries(acknowledged.counts));
  const taken = readings.map((reading) => {
    if (reading.status !== 'read') return reading;
    if (reading.atMs > acknowledged.atMs) {
      for (const [name, count] of baseline) baseline.set(name, Math.min(count, reported(reading, name) ?? count));
    }
    return takeOff(reading, baseline);
  });
  return { readings: taken, takenOff: Object.fromEntries([...baseline].filter(([, count]) => count > 0)) };
}

const smartPrefix = 'smart.';
const mediaErrors = 'nvme.mediaErrors';

function reported(reading: Reading, name: string): number | undefined {
  if (name === mediaErrors) return reading.nvme?.mediaErrors ?? undefined;
  return name.startsWith(smartPrefix) ? reading.smart[name.slice(smartPrefix.length)] : undefined;
}

function takeOff(reading: Reading, baseline: ReadonlyMap<string, number>): Reading {
  const smart: Record<string, number> = {};
  for (const [attribute, count] of Object.entries(reading.smart)) smart[attribute] = less(count, baseline.get(`${smartPrefix}${attribute}`));
  const { nvme } = reading;
  const errors = nvme?.mediaErrors ?? null;
  return { ...reading, smart, nvme: nvme === null || errors === null ? nvme : { ...nvme, mediaErrors: less(errors, baseline.get(mediaErrors)) } };
}

function less(count: number, baseline = 0): number {
  return baseline > 0 ? Math.max(0, count - baseline) : count;
}
