import { createHash } from 'node:crypto';
import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { type Decisions, decisionsOn } from './decisions.ts';
import { monthStarts, type RecordedDrive } from './recorded-drive.ts';

/**
 * The test that all figures about models of hard drives are told on, so that they mean the same: validation drives by a hash of their name, four origins
 * in time, at each a model that knows only the other drives and only what lies before, and every validation drive alive on the first of each month after.
 */
export const openTest = {
  trainFrom: dayOfDate('2014-04-01'),
  origins: ['2014-10-01', '2015-01-01', '2015-04-01', '2015-07-01'].map(dayOfDate),
  end: dayOfDate('2016-01-01'),
  horizonDays: 30,
} as const;

/** Whether a drive is kept for validation: its digest, read as one big-endian number, ends below 30 of a hundred. */
export function isValidation({ driveId }: RecordedDrive): boolean {
  const digest = createHash('sha256').update(`validation-v1:${driveId}`).digest('hex');
  return BigInt(`0x${digest}`) % 100n < 30n;
}

export interface Fold {
  readonly originDay: number;
  /** On the first of each month from the origin to before the next one. */
  readonly decisions: Decisions;
}

/** The four parts of the test, in the order of time. */
export function openTestFolds(drives: readonly RecordedDrive[]): { readonly training: readonly RecordedDrive[]; readonly folds: readonly Fold[] } {
  const validation = drives.filter(isValidation);
  const folds = openTest.origins.map((originDay, i) => ({
    originDay,
    decisions: decisionsOn(validation, monthStarts(originDay, openTest.origins[i + 1] ?? openTest.end)),
  }));
  return { training: drives.filter((drive) => !isValidation(drive)), folds };
}

/** Decisions of several parts as one list. */
export function joined(parts: readonly Decisions[]): Decisions {
  const column = (of: (part: Decisions) => Float32Array): Float32Array => {
    const all = new Float32Array(parts.reduce((sum, part) => sum + of(part).length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(of(part), at);
      at += of(part).length;
    }
    return all;
  };
  return {
    drives: parts.flatMap((part) => part.drives),
    days: parts.flatMap((part) => part.days),
    values: column((part) => part.values),
    daysToFailure: column((part) => part.daysToFailure),
    daysKnown: column((part) => part.daysKnown),
    weight: column((part) => part.weight),
  };
}
