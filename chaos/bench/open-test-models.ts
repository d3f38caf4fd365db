import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { isValidation, openTest } from '../../control-plane/src/learn/open-test.ts';
import type { RecordedDrive } from '../../control-plane/src/learn/recorded-drive.ts';
import { shippedSettings } from '../../control-plane/src/learn/shipped-settings.ts';
import { trainModel } from '../../control-plane/src/learn/train-model.ts';

/** A model, and from which day on agents judge by it; days since 1970-01-01. */
export interface DatedJudge {
  readonly fromDay: number;
  readonly judge: FailureJudge;
}

/**
 * The models of the open test, trained as the shipped one is: at each origin one that knows only the other drives and only what lies before.
 * The shipped model itself has seen the validation drives die, and would be asked what it was told.
 */
export function openTestModels(drives: readonly RecordedDrive[], seed: number): DatedJudge[] {
  const training = drives.filter((drive) => !isValidation(drive));
  return openTest.origins.map((fromDay) => {
    const trained = trainModel(training, { ...shippedSettings, seed, fromDay: openTest.trainFrom, untilDay: fromDay });
    if (trained.status !== 'trained') throw new Error(trained.because);
    return { fromDay, judge: new FailureJudge(trained.model) };
  });
}
