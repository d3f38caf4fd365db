/** What two versions said of one drive over the same days: the last 30 before it failed, or before now. */
export interface PairedDrive {
  readonly deviceId: string;
  readonly failed: boolean;
  /** The highest probability that the active version gave it, and that the one before gave it. */
  readonly p30: number;
  readonly p30Before: number;
  /** Whether each called it at risk or failing on any of the days. */
  readonly alarmed: boolean;
  readonly alarmedBefore: boolean;
}

export interface LiveComparison {
  readonly kind: 'too-few' | 'not-behind' | 'behind';
  readonly failures: number;
  /** Drives that each may name: as many as the one that alarmed about more did. */
  readonly alarms: number;
  readonly found: number;
  readonly foundBefore: number;
  /** Chance of as lopsided a count or more, if both were as good. */
  readonly chance: number;
  /** In words, for a person. */
  readonly says: string;
}

/** With fewer failures nothing is concluded. */
export const leastFailures = 10;
/**
 * It is looked at day after day, so that chance gets many tries: at 5 % one of two equally good models would be rolled back before long.
 * Eight failures that only one of them found, with none the other way, come below this by themselves.
 */
const leastChance = 0.005;

/**
 * Whether the active version falls behind the one before: over the same drives and days, both naming as many drives, it found significantly fewer of
 * those that failed. How many are named is made equal first, or whoever cries more often would win.
 *
 * Source of the test: Q. McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12 (1947); in its
 * exact form, the sign test on the failures that only one of both found, one-sided.
 *
 * @param before what the other version is called in words
 */
export function compareLive(drives: readonly PairedDrive[], before = 'the model before'): LiveComparison {
  const failures = drives.filter((drive) => drive.failed).length;
  const alarms = Math.max(drives.filter((drive) => drive.alarmed).length, drives.filter((drive) => drive.alarmedBefore).length);
  const named = highest(drives, (drive) => drive.p30, alarms);
  const namedBefore = highest(drives, (drive) => drive.p30Before, alarms);
  const failed = drives.filter((drive) => drive.failed);
  const onlyNow = failed.filter((drive) => named.has(drive) && !namedBefore.has(drive)).length;
  const onlyBefore = failed.filter((drive) => !named.has(drive) && namedBefore.has(drive)).length;
  const [found, foundBefore] = [named, namedBefore].map((set) => failed.filter((drive) => set.has(drive)).length) as [number, number];
  const chance = chanceOfAtLeast(onlyBefore, onlyNow + onlyBefore);
  const figures = { failures, alarms, found, foundBefore, chance };
  if (failures < leastFailures) return { kind: 'too-few', ...figures, says: `too few failures to compare: ${failures} of at least ${leastFailures}` };
  const says = `of ${failures} failures, at ${alarms} drives named by each, it found ${found} and ${before} ${foundBefore} (chance ${chance.toPrecision(2)})`;
  return { kind: chance < leastChance ? 'behind' : 'not-behind', ...figures, says };
}

export interface Verdict {
  readonly verdict: 'too-few' | 'ahead' | 'behind' | 'even';
  /** In words, for a person. */
  readonly says: string;
}

/** The same question asked in both directions: whether a version found significantly more, or significantly fewer, of the failures than another one. */
export function verdictBeside(drives: readonly PairedDrive[], other: string): Verdict {
  const forward = compareLive(drives, other);
  if (forward.kind !== 'not-behind') return { verdict: forward.kind, says: forward.says };
  const swapped = drives.map((drive) => ({ ...drive, p30: drive.p30Before, p30Before: drive.p30, alarmed: drive.alarmedBefore, alarmedBefore: drive.alarmed }));
  const backward = compareLive(swapped, other);
  const { failures, alarms, found, foundBefore } = forward;
  const figures = `of ${failures} failures, at ${alarms} drives named by each, it found ${found} and ${other} ${foundBefore}`;
  if (backward.kind === 'behind') return { verdict: 'ahead', says: `${figures} (chance ${backward.chance.toPrecision(2)})` };
  return { verdict: 'even', says: `${figures}: no difference that chance would not make` };
}

/** The drives that score highest; equal ones in the order of their names, so that a tie is no difference between two versions. */
function highest(drives: readonly PairedDrive[], score: (drive: PairedDrive) => number, count: number): ReadonlySet<PairedDrive> {
  return new Set([...drives].sort((a, b) => score(b) - score(a) || (a.deviceId < b.deviceId ? -1 : 1)).slice(0, count));
}

/** Of so many tosses of a fair coin, at least so many heads. */
function chanceOfAtLeast(heads: number, tosses: number): number {
  let chance = 0;
  // In logarithms: 2 to the power of 1,100 is more than a number can hold.
  let logWays = 0;
  for (let count = 0; count <= tosses; count++) {
    if (count > 0) logWays += Math.log((tosses - count + 1) / count);
    if (count >= heads) chance += Math.exp(logWays - tosses * Math.LN2);
  }
  return Math.min(1, chance);
}
