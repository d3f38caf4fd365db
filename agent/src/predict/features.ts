import type { Reading } from '@data-in-motion/shared/domain/device';
import type { DrivePoint } from '@data-in-motion/shared/domain/drive-history';
import { unpackRaw } from '@data-in-motion/shared/domain/unpack-raw';

const dayMs = 86_400_000;

/** The five attributes of the published rule. */
export const judgedAttributes = [5, 187, 188, 197, 198] as const;
export type JudgedAttribute = (typeof judgedAttributes)[number];
/** Further counters that a model asks for: the rule knows nothing of them. */
const furtherAttributes = [10, 189, 196] as const;

/** What one counter did lately, in the device's own time. */
export interface Trend<Attribute extends number = number> {
  readonly attribute: Attribute;
  /** What counts: without `acknowledged`. */
  readonly value: number;
  /** What a person takes for harmless; the drive reported this and `value` together. */
  readonly acknowledged: number;
  /** Against the last reading that is at least that old, or the first one there is; below zero when pending sectors went. */
  readonly change7Days: number;
  readonly change30Days: number;
  /** On how many readings of the last 14 days it was higher than on the one before. */
  readonly risesIn14Days: number;
  /** Null: it never rose while it was watched. */
  readonly roseDaysAgo: number | null;
}

export interface Features {
  /** The newest reading that has values; null when there is none. */
  readonly last: Reading | null;
  /** Of the five attributes of the rule. */
  readonly trends: readonly Trend<JudgedAttribute>[];
  readonly furtherTrends: readonly Trend[];
  /** Media errors of an NVMe drive that a person takes for harmless. */
  readonly acknowledgedMediaErrors: number;
  /** What was reported since its counters started, oldest first, for a model to look at; days since the epoch. */
  readonly points: readonly DrivePoint[];
  /** How long the device was watched without its counters starting again, days. */
  readonly watchedDays: number;
  /** The newest readings in a row that the device did not answer; being asleep is an answer. */
  readonly unansweredInARow: number;
  /** The newest reading of all, with values or without. */
  readonly newest: Reading | null;
  /** How long before the newest reading the newest values were taken; 0 without values. */
  readonly valuesAgeMs: number;
}

/** When a reading was taken in the life of its device: a replayed life passes faster than the clock, so its own dates count. */
export function lifeAtMs(reading: Pick<Reading, 'atMs' | 'recordedDay'>): number {
  const recorded = reading.recordedDay === null ? Number.NaN : Date.parse(`${reading.recordedDay}T00:00:00Z`);
  return Number.isFinite(recorded) ? recorded : reading.atMs;
}

/**
 * When each reading was taken, in a time that does not run backwards and ends with the newest reading, whose clock is taken for right.
 * Earlier readings that claim to be later than it come from a clock that went ahead: they are moved together to where they were taken.
 * Those that claim to be earlier than what was read before them come from one that was behind for a while: they are as old as that.
 *
 * @param readings in the order in which they were taken
 */
export function timesTaken(readings: readonly Reading[]): ReadonlyMap<Reading, number> {
  const claimed = readings.map(lifeAtMs);
  const lastMs = claimed.at(-1) ?? 0;
  let aheadMs = 0;
  let nextMs = lastMs;
  const notAhead = claimed.toReversed().map((ms) => {
    aheadMs = ms <= lastMs ? 0 : Math.max(aheadMs, ms - nextMs);
    nextMs = ms - aheadMs;
    return nextMs;
  });
  let latestMs = Number.NEGATIVE_INFINITY;
  return new Map(
    readings.map((reading, i) => {
      latestMs = Math.max(latestMs, notAhead.at(-1 - i)!);
      return [reading, latestMs];
    }),
  );
}

const nothingKnown: Features = {
  last: null,
  trends: [],
  furtherTrends: [],
  acknowledgedMediaErrors: 0,
  points: [],
  watchedDays: 0,
  unansweredInARow: 0,
  newest: null,
  valuesAgeMs: 0,
};

/**
 * Reduce the history of one device to what rule and model look at.
 *
 * @param readings of one device, in the order in which they were taken; readings of other devices than the newest one's are ignored, as are values
 *   that are no counts
 * @param takenOff what was taken off the counters of the newest reading because a person acknowledged it, by the names of reasons
 */
export function deviceFeatures(readings: readonly Reading[], takenOff: Readonly<Record<string, number>> = {}): Features {
  const ordered = readings.filter((reading) => Number.isFinite(lifeAtMs(reading)));
  const newest = ordered.at(-1) ?? null;
  if (newest === null) return nothingKnown;

  const own = ordered.filter((reading) => reading.deviceId === newest.deviceId);
  const run = sinceCountersStarted(own.filter((reading) => reading.status === 'read'));
  const last = run.at(-1) ?? null;
  const times = timesTaken(own);
  return {
    last,
    trends: judgedAttributes.flatMap((attribute) => trendOf(attribute, run, times, takenOff) ?? []),
    furtherTrends: furtherAttributes.flatMap((attribute) => trendOf(attribute, run, times, takenOff) ?? []),
    acknowledgedMediaErrors: takenOff['nvme.mediaErrors'] ?? 0,
    points: run.map((reading) => ({ day: times.get(reading)! / dayMs, powerOnHours: reading.powerOnHours, smart: reading.smart })),
    watchedDays: last === null ? 0 : (times.get(last)! - times.get(run[0]!)!) / dayMs,
    unansweredInARow: own.length - 1 - own.findLastIndex((reading) => reading.status !== 'unreadable'),
    newest,
    valuesAgeMs: last === null ? 0 : times.get(newest)! - times.get(last)!,
  };
}

/** A counter of the newest reading that has values, or undefined. */
export function countOf(reading: Reading, attribute: number): number | undefined {
  const raw = reading.smart[String(attribute)];
  return raw === undefined ? undefined : unpackRaw(attribute, raw);
}

function trendOf<Attribute extends number>(
  attribute: Attribute,
  run: readonly Reading[],
  times: ReadonlyMap<Reading, number>,
  takenOff: Readonly<Record<string, number>>,
): Trend<Attribute> | undefined {
  const points = run.flatMap((reading) => {
    const value = countOf(reading, attribute);
    return value === undefined ? [] : [{ atMs: times.get(reading)!, value }];
  });
  const end = points.at(-1);
  if (end === undefined || countOf(run.at(-1)!, attribute) === undefined) return undefined;

  const before = (days: number): number => (points.findLast((point) => point.atMs <= end.atMs - days * dayMs) ?? points[0]!).value;
  const rises = points.filter((point, i) => i > 0 && point.value > points[i - 1]!.value);
  const lastRise = rises.at(-1);
  return {
    attribute,
    value: end.value,
    acknowledged: takenOff[`smart.${attribute}`] ?? 0,
    change7Days: end.value - before(7),
    change30Days: end.value - before(30),
    risesIn14Days: rises.filter((rise) => rise.atMs > end.atMs - 14 * dayMs).length,
    roseDaysAgo: lastRise === undefined ? null : (end.atMs - lastRise.atMs) / dayMs,
  };
}

/** The readings since counters that only grow were last seen lower than before: another drive answers under the name, or its firmware forgot. */
function sinceCountersStarted(reads: readonly Reading[]): readonly Reading[] {
  for (let i = reads.length - 1; i > 0; i--) if (startedAgain(reads[i - 1]!, reads[i]!)) return reads.slice(i);
  return reads;
}

function startedAgain(before: Reading, after: Reading): boolean {
  // Two days of slack: some drives write their hours back late after a power cut.
  if (before.powerOnHours !== null && after.powerOnHours !== null && after.powerOnHours < before.powerOnHours - 48) return true;
  return [5, 187].some((attribute) => (countOf(after, attribute) ?? Number.POSITIVE_INFINITY) < (countOf(before, attribute) ?? 0));
}
