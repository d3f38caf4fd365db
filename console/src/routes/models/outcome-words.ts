import type { AlarmOutcome, ModelComparison, ModelOutcome, ScoredDrive } from '@data-in-motion/shared/api/models';
import { counted, percent } from '../../lib/format/number.ts';

export type Range = NonNullable<AlarmOutcome['precisionRange']>;

/** A probability that may be far below a thousandth, where two that differ must not look the same: `31 %`, `0.4 %`, `0.021 %`. */
export function probability(value: number): string {
  return value > 0 && value < 0.001 ? `${Number((value * 100).toPrecision(2))} %` : percent(value);
}

/** `24 to 56 %`: between which a share may well lie. */
export function rangeWords({ low, high }: Range): string {
  const [from, to] = [percent(low), percent(high)];
  return from === to ? from : `${from.replace(/ %$/, '')} to ${to}`;
}

/** `2.9 to 7.0`: of something that is counted in 1,000 drive-months. */
export function ratesWords({ low, high }: Range): string {
  return `${low.toFixed(1)} to ${high.toFixed(1)}`;
}

/** What stands between a person and a conclusion, in a sentence; null where the figures tell something. */
export function whyNotTelling(outcome: ModelOutcome | undefined): string | null {
  if (outcome === undefined) return 'It has scored no drive of this fleet yet: nothing can be told.';
  if (outcome.decisions === 0)
    return `Nothing can be told yet: ${counted(outcome.undecided, 'drive-month')} scored, none of them over. A month counts 30 days after it, or when the drive fails.`;
  if (!outcome.telling) return `Too few failures to tell anything: ${outcome.failures} so far. The counts stand, the shares of them could be anything.`;
  return null;
}

/** How much more often than a blind alarm this one was right: `97 times as often as alarms at random`. */
export function gainWords({ precision }: AlarmOutcome, { baseRate }: ModelOutcome): string | null {
  if (precision === null || baseRate === null || baseRate === 0) return null;
  const times = precision / baseRate;
  return `${times < 10 ? times.toFixed(1).replace(/\.0$/, '') : Math.round(times)} times as often as alarms at random`;
}

export interface VerdictWord {
  readonly word: string;
  readonly tone: 'ok' | 'bad' | 'idle' | 'wait';
}

/** What the comparison of two versions comes to, for the first of them. */
export function verdictWord({ verdict, version, other }: ModelComparison): VerdictWord {
  return {
    ahead: { word: `${version} is ahead`, tone: 'ok' as const },
    behind: { word: `${version} falls behind`, tone: 'bad' as const },
    even: { word: `${version} and ${other} can not be told apart`, tone: 'idle' as const },
    'too-few': { word: 'Too little failed to tell which is better', tone: 'wait' as const },
  }[verdict];
}

const isAlarm = (level: string): boolean => level === 'at-risk' || level === 'failing';

/** Who alarms about a drive; null where both or neither does. */
export function aloneAlarms(drive: ScoredDrive): 'this' | 'other' | null {
  const [mine, others] = [isAlarm(drive.score.level), isAlarm(drive.other.level)];
  return mine === others ? null : mine ? 'this' : 'other';
}
