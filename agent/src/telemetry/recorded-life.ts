import type { DeviceIdentity } from '@data-in-motion/shared/domain/device';

/** What a drive reported from one day of its recorded life on. */
export interface RecordedPoint {
  /** Whole days since 1970-01-01. */
  readonly day: number;
  readonly powerOnHours: number | null;
  readonly temperatureCelsius: number | null;
  /** Attribute number to count, unpacked; only what was reported. */
  readonly smart: Readonly<Record<string, number>>;
}

/** The history of one real (or invented) drive. */
export interface RecordedLife {
  readonly device: DeviceIdentity;
  /** By day, rising, at least one; a point holds until the next. */
  readonly points: readonly RecordedPoint[];
  readonly firstDay: number;
  /** The last day on which it answered. */
  readonly lastDay: number;
  /** It failed after its last day; otherwise recording ended and it keeps its last values. */
  readonly failed: boolean;
}

/** Lives kept in memory at once; more than this is a fleet, not a host. */
export const mostLives = 2_000;

/**
 * What the drive answered on a day, hours of operation counted on between recorded points.
 *
 * @returns `not-yet` before its first day, `dead` after the last day of a drive that failed
 */
export function answerOn(life: RecordedLife, day: number): RecordedPoint | 'not-yet' | 'dead' {
  if (day < life.firstDay) return 'not-yet';
  if (day > life.lastDay && life.failed) return 'dead';
  const seenDay = Math.min(day, life.lastDay);
  const point = life.points.findLast((candidate) => candidate.day <= seenDay) ?? life.points[0]!;
  const hoursSince = Math.max(0, seenDay - point.day) * 24;
  return { ...point, day: seenDay, powerOnHours: point.powerOnHours === null ? null : point.powerOnHours + hoursSince };
}
