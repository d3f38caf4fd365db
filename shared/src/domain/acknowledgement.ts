import type { NvmeHealth, Reading } from './device.ts';

/**
 * Counters of a drive that a person has seen and takes for harmless: judged is what came since. Names are those of reasons:
 * `smart.197`, `nvme.mediaErrors`.
 */
export interface Acknowledgement {
  readonly counts: Readonly<Record<string, number>>;
  /** When the agent read these counts, by its own clock. */
  readonly atMs: number;
}

/** Counters of damage. What a drive says of itself, and the wear of a solid-state drive, can not be acknowledged: they ask for another drive. */
const acknowledgeable = [5, 10, 187, 188, 189, 196, 197, 198] as const;

/** What there is to acknowledge in a reading; empty when no counter is above zero. */
export function countsToAcknowledge({
  smart,
  nvme,
}: {
  readonly smart: Reading['smart'];
  readonly nvme: Pick<NvmeHealth, 'mediaErrors'> | null;
}): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const attribute of acknowledgeable) {
    const count = smart[String(attribute)] ?? 0;
    if (count > 0) counts[`smart.${attribute}`] = count;
  }
  if ((nvme?.mediaErrors ?? 0) > 0) counts['nvme.mediaErrors'] = nvme!.mediaErrors!;
  return counts;
}
