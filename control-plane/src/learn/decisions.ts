import { driveFeatureNames, driveFeatures } from '@data-in-motion/shared/domain/drive-features';
import { type Random, seededRandom } from '@data-in-motion/shared/random';
import type { RecordedDrive } from './recorded-drive.ts';

/** Moments at which drives are looked at, with all that was known then. */
export interface Decisions {
  readonly drives: readonly RecordedDrive[];
  readonly days: readonly number[];
  /** Row after row, as wide as `driveFeatureNames`; NaN is missing. */
  readonly values: Float32Array;
  /** Days until the drive failed; infinite when it did not, as far as is known. */
  readonly daysToFailure: Float32Array;
  /** Days after the decision over which it is known what became of the drive. */
  readonly daysKnown: Float32Array;
  /** For how many decisions a row stands: of those long before any failure only some are taken. */
  readonly weight: Float32Array;
}

export interface Sampling {
  readonly fromDay: number;
  /** Nothing from this day on is known: neither values nor failures. */
  readonly knownUntilDay: number;
  /** The last decision is so many days before that, so that its outcome is known. */
  readonly marginDays: number;
  readonly everyDays: number;
  /** Share of the decisions with no failure within `nearDays` that is taken. */
  readonly quietShare: number;
  readonly nearDays: number;
}

const width = driveFeatureNames.length;

/** Look at every drive every so many days, each on days of its own, while it is watched. */
export function sampleDecisions(drives: readonly RecordedDrive[], sampling: Sampling, random: Random): Decisions {
  const chosen: Chosen[] = [];
  const untilDay = sampling.knownUntilDay - sampling.marginDays;
  for (const drive of drives) {
    for (let day = sampling.fromDay + random.next() * sampling.everyDays; day <= untilDay; day += sampling.everyDays) {
      if (day < drive.firstDay || day >= drive.lastDay) continue;
      const failed = drive.failed && drive.lastDay <= sampling.knownUntilDay;
      const daysToFailure = failed ? drive.lastDay - day : Number.POSITIVE_INFINITY;
      const share = daysToFailure <= sampling.nearDays ? 1 : sampling.quietShare;
      if (share < 1 && random.next() >= share) continue;
      const daysKnown = failed ? Number.POSITIVE_INFINITY : Math.min(drive.lastDay, sampling.knownUntilDay) - day;
      chosen.push({ drive, day, daysToFailure, daysKnown, weight: 1 / share });
    }
  }
  return withFeatures(chosen);
}

/** Look at every drive that is alive on each of the days: first seen by then, last seen after it. */
export function decisionsOn(drives: readonly RecordedDrive[], days: readonly number[]): Decisions {
  return withFeatures(
    days.flatMap((day) =>
      drives
        .filter((drive) => drive.firstDay <= day && drive.lastDay > day)
        .map((drive) => ({
          drive,
          day,
          daysToFailure: drive.failed ? drive.lastDay - day : Number.POSITIVE_INFINITY,
          daysKnown: drive.failed ? Number.POSITIVE_INFINITY : drive.lastDay - day,
          weight: 1,
        })),
    ),
  );
}

interface Chosen {
  readonly drive: RecordedDrive;
  readonly day: number;
  readonly daysToFailure: number;
  readonly daysKnown: number;
  readonly weight: number;
}

function withFeatures(chosen: readonly Chosen[]): Decisions {
  const values = new Float32Array(chosen.length * width);
  for (const [row, { drive, day }] of chosen.entries()) driveFeatures(drive.history, drive, day, values, row * width);
  return {
    drives: chosen.map(({ drive }) => drive),
    days: chosen.map(({ day }) => day),
    values,
    daysToFailure: Float32Array.from(chosen, (one) => one.daysToFailure),
    daysKnown: Float32Array.from(chosen, (one) => one.daysKnown),
    weight: Float32Array.from(chosen, (one) => one.weight),
  };
}

/** 1 for each decision that a failure follows within the horizon. */
export function failedWithin({ daysToFailure }: Decisions, horizonDays: number): Uint8Array {
  return Uint8Array.from(daysToFailure, (days) => (days <= horizonDays ? 1 : 0));
}

/**
 * How much each decision says about the horizon: one whose drive was watched for half of it without failing says half as much
 * as one of which the whole is known.
 */
export function weightsFor({ daysToFailure, daysKnown, weight }: Decisions, horizonDays: number): Float32Array {
  return weight.map((own, row) => (daysToFailure[row]! <= horizonDays ? own : own * Math.min(1, Math.max(0, daysKnown[row]! / horizonDays))));
}

/** Some of the decisions, in the same order. */
export function rowsWhere(decisions: Decisions, wanted: (row: number) => boolean): Decisions {
  const rows = Array.from(decisions.days.keys()).filter(wanted);
  const values = new Float32Array(rows.length * width);
  for (const [place, row] of rows.entries()) values.set(decisions.values.subarray(row * width, (row + 1) * width), place * width);
  const column = (of: Float32Array): Float32Array => Float32Array.from(rows, (row) => of[row]!);
  return {
    drives: rows.map((row) => decisions.drives[row]!),
    days: rows.map((row) => decisions.days[row]!),
    values,
    daysToFailure: column(decisions.daysToFailure),
    daysKnown: column(decisions.daysKnown),
    weight: column(decisions.weight),
  };
}

/** The part of the drives that falls to a share, the same for the same seed. */
export function shareOfDrives(drives: readonly RecordedDrive[], share: number, seed: number): { inside: RecordedDrive[]; outside: RecordedDrive[] } {
  const random = seededRandom(seed);
  const [inside, outside]: [RecordedDrive[], RecordedDrive[]] = [[], []];
  for (const drive of drives) (random.next() < share ? inside : outside).push(drive);
  return { inside, outside };
}
