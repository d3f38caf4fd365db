import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import { driveFeatureNames, driveFeatures } from '@data-in-motion/shared/domain/drive-features';
import { countedAttributes, type DriveHistory, historyOf } from '@data-in-motion/shared/domain/drive-history';
import { driveMaker } from '@data-in-motion/shared/domain/drive-makers';
import { type FailureJudge, levelOfScore } from '@data-in-motion/shared/domain/failure-model';

/** A hard drive with what is kept of its readings. */
export interface ReadDrive {
  /** Its maker's name of it. */
  readonly model: string;
  readonly capacityBytes: number;
  /** In the order in which they were taken; only such as have values. */
  readonly readings: readonly KeptReading[];
}

export interface KeptReading {
  readonly atMs: number;
  /** Of a replayed life: its own date counts. */
  readonly recordedDay: string | null;
  readonly powerOnHours: number | null;
  readonly smart: Readonly<Record<string, number>>;
}

export interface VersionScore {
  readonly version: string;
  readonly p7: number;
  readonly p30: number;
  readonly level: RiskLevel;
}

/** A drive's counters in its own time, and the moment of its newest values. */
export interface KnownDrive {
  readonly history: DriveHistory;
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly firstDay: number;
}

const dayMs = 86_400_000;
const damage = ([5, 187, 188, 197, 198] as const).map((attribute) => countedAttributes.indexOf(attribute));

/** What is known of a drive; null when it reports no counter that tells of damage, of which models know nothing. */
export function knownDrive({ readings }: ReadDrive): KnownDrive | null {
  let latest = Number.NEGATIVE_INFINITY;
  // A clock that was set back must not have the drive live backwards.
  const points = readings.map((one) => {
    latest = Math.max(latest, lifeDay(one));
    return { day: latest, powerOnHours: one.powerOnHours, smart: one.smart };
  });
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return null;
  const history = historyOf(points);
  const isTold = damage.some((column) => !Number.isNaN(history.counts[column]!.at(-1) ?? Number.NaN));
  return isTold ? { history, day: last.day, firstDay: first.day } : null;
}

/** What a model may ask of a drive, as it stood on a day; in the order of `driveFeatureNames`. */
export function featuresOn({ history }: KnownDrive, { model, capacityBytes }: ReadDrive, day: number): Float64Array {
  const features = new Float64Array(driveFeatureNames.length);
  driveFeatures(history, { maker: driveMaker(model), capacityBytes }, day, features);
  return features;
}

/**
 * What each model says of a drive at the moment of its newest values, as its agent would by the same model. Counts that a person acknowledged are
 * not taken off: measured is what models say, not what people know besides.
 */
export function scoreDrive(features: ArrayLike<number>, judges: readonly FailureJudge[]): VersionScore[] {
  return judges.flatMap((judge) => {
    const { p7, p30 } = judge.score(features);
    if (!(p7 >= 0 && p7 <= 1 && p30 >= 0 && p30 <= 1)) return [];
    return [{ version: judge.model.version, p7, p30, level: levelOfScore(p30, judge.model.levels) }];
  });
}

function lifeDay({ atMs, recordedDay }: KeptReading): number {
  const recorded = recordedDay === null ? Number.NaN : Date.parse(`${recordedDay}T00:00:00Z`);
  return (Number.isFinite(recorded) ? recorded : atMs) / dayMs;
}
