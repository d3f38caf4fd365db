import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';

/** What two versions said of one drive. */
export interface SaidTwice {
  readonly p30: number;
  readonly level: RiskLevel;
  readonly otherP30: number;
  readonly otherLevel: RiskLevel;
}

/** Of drives that two versions scored: who alarms. */
export interface Agreement {
  readonly both: number;
  readonly onlyThis: number;
  readonly onlyOther: number;
  readonly neither: number;
}

export function isAlarm(level: RiskLevel): boolean {
  return level === 'at-risk' || level === 'failing';
}

/** @returns the drives that the two disagree about most first: those where one alarms and the other does not, then by how far apart the odds are */
export function byDisagreement<Drive extends SaidTwice>(drives: readonly Drive[]): Drive[] {
  const rank = (drive: Drive): number => (isAlarm(drive.level) === isAlarm(drive.otherLevel) ? 1 : 0);
  return drives.toSorted((a, b) => rank(a) - rank(b) || apart(b) - apart(a));
}

export function agreementOf(drives: readonly SaidTwice[]): Agreement {
  const count = (of: boolean, ofOther: boolean): number => drives.filter((one) => isAlarm(one.level) === of && isAlarm(one.otherLevel) === ofOther).length;
  return { both: count(true, true), onlyThis: count(true, false), onlyOther: count(false, true), neither: count(false, false) };
}

/** In log-odds: from 0.1 to 1 % is as far as from 10 to 53 %. */
function apart({ p30, otherP30 }: SaidTwice): number {
  return Math.abs(logOdds(p30) - logOdds(otherP30));
}

/** Certainty, which a curve may end in, is as far as one in a million. */
function logOdds(probability: number): number {
  const p = Math.min(1 - 1e-6, Math.max(1e-6, probability));
  return Math.log(p / (1 - p));
}
