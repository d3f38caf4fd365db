import type { Reading } from '@data-in-motion/shared/domain/device';
import { countedAttributes } from '@data-in-motion/shared/domain/drive-history';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';

/**
 * A reading as the memory holds it, with what is judged and nothing else. Attributes are numbers, and an object that has them for its names gets
 * room for all numbers up to the largest: measured, 2.4 kB for nine counters. Hence a row, shared with the reading before where nothing changed.
 */
export interface KeptReading extends Omit<Reading, 'deviceId' | 'smart' | 'kernel'> {
  /** One for each of `countedAttributes`, in their order; null where it was not reported. */
  readonly counts: readonly (number | null)[];
}

/** @param before the reading before it, whose parts it shares where they are the same */
export function keptReading(reading: Reading, before: KeptReading | undefined): KeptReading {
  const counts = countedAttributes.map((attribute) => reading.smart[String(attribute)] ?? null);
  const { nvme } = reading;
  // Field by field: a copy by spreading is laid out in two parts and takes half as much again.
  return {
    atMs: reading.atMs,
    recordedDay: reading.recordedDay,
    source: reading.source,
    status: reading.status,
    unreadableBecause: reading.unreadableBecause === before?.unreadableBecause ? before.unreadableBecause : reading.unreadableBecause,
    selfAssessmentPassed: reading.selfAssessmentPassed,
    temperatureCelsius: reading.temperatureCelsius,
    powerOnHours: reading.powerOnHours,
    counts: before !== undefined && counts.every((count, i) => Object.is(count, before.counts[i])) ? before.counts : counts,
    nvme: before?.nvme != null && nvme !== null && JSON.stringify(nvme) === JSON.stringify(before.nvme) ? before.nvme : nvme,
  };
}

/** The readings of a device again, to be judged; those that share their counts share them here too. */
export function* readingsOf(deviceId: DeviceId, kept: readonly KeptReading[]): Generator<Reading> {
  let smart: Record<string, number> = {};
  let counts: KeptReading['counts'] | null = null;
  for (const one of kept) {
    if (one.counts !== counts) smart = smartOf(one.counts);
    counts = one.counts;
    yield {
      deviceId,
      atMs: one.atMs,
      recordedDay: one.recordedDay,
      source: one.source,
      status: one.status,
      unreadableBecause: one.unreadableBecause,
      selfAssessmentPassed: one.selfAssessmentPassed,
      temperatureCelsius: one.temperatureCelsius,
      powerOnHours: one.powerOnHours,
      smart,
      nvme: one.nvme,
    };
  }
}

function smartOf(counts: KeptReading['counts']): Record<string, number> {
  const smart: Record<string, number> = {};
  for (const [i, attribute] of countedAttributes.entries()) {
    const count = counts[i];
    if (count != null) smart[attribute] = count;
  }
  return smart;
}
