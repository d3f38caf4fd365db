import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import { Failure } from '@data-in-motion/shared/failure';
import { seededRandom } from '@data-in-motion/shared/random';
import { binRows, findEdges } from './binned-rows.ts';
import { type Decisions, failedWithin, sampleDecisions } from './decisions.ts';
import { fitElasticNet, logisticLogOdds } from './elastic-net.ts';
import { type Evaluation, evaluate, scoreByModel } from './evaluate-model.ts';
import { measure } from './measure.ts';
import { joined, openTest, openTestFolds } from './open-test.ts';
import { growForest, sumOfTrees } from './random-forest.ts';
import type { RecordedDrive } from './recorded-drive.ts';
import type { Peers } from './report.ts';
import { type TrainSettings, trainModel } from './train-model.ts';

export interface OpenTestResult {
  readonly decisions: Decisions;
  readonly p7: Float64Array;
  readonly p30: Float64Array;
  readonly evaluation: Evaluation;
  /** Other ways to learn, on the same decisions and from the same drives. */
  readonly peers: Peers;
}

/** Train at each origin of the open test, judge what comes after, and measure all of it together. */
export function runOpenTest(
  drives: readonly RecordedDrive[],
  settings: Omit<TrainSettings, 'fromDay' | 'untilDay'>,
  say: (text: string) => void = () => {},
): OpenTestResult {
  const { training, folds } = openTestFolds(drives);
  const scores = folds.map(({ originDay, decisions }, place) => {
    say(`origin ${place + 1} of ${folds.length}: ${decisions.days.length.toLocaleString('en-GB')} decisions to judge`);
    const trained = trainModel(training, { ...settings, fromDay: openTest.trainFrom, untilDay: originDay });
    if (trained.status !== 'trained') throw new Failure('refused', { code: 'models.too-few', message: trained.because });
    const learned = sampleDecisions(training, { ...settings.sampling, fromDay: openTest.trainFrom, knownUntilDay: originDay }, seededRandom(settings.seed));
    return { ...scoreByModel(trained.model, decisions), forest: forestScores(learned, decisions, settings.seed), logistic: logisticScores(learned, decisions) };
  });
  const decisions = joined(folds.map((fold) => fold.decisions));
  const [logOdds, p7, p30] = [together(scores.map((one) => one.logOdds)), together(scores.map((one) => one.p7)), together(scores.map((one) => one.p30))];
  const failed = failedWithin(decisions, openTest.horizonDays);
  return {
    decisions,
    p7,
    p30,
    evaluation: evaluate(decisions, logOdds, p30, settings.seed),
    peers: {
      'random forest': measure({ score: together(scores.map((one) => one.forest)), failed }),
      'logistic regression with an elastic net': measure({ score: together(scores.map((one) => one.logistic)), failed }),
    },
  };
}

function forestScores(learned: Decisions, decisions: Decisions, seed: number): Float64Array {
  const edges = findEdges(learned.values, driveFeatureNames.length, seededRandom(seed));
  const rows = { data: binRows(learned.values, edges), label: failedWithin(learned, openTest.horizonDays), weight: learned.weight };
  const forest = growForest(rows, { trees: 100, maxFeatures: 0.3, maxDepth: 12, minLeafRows: 8, failureWeight: 1 }, seededRandom(seed));
  return sumOfTrees(forest, binRows(decisions.values, edges));
}

function logisticScores(learned: Decisions, decisions: Decisions): Float64Array {
  const label = failedWithin(learned, openTest.horizonDays);
  const model = fitElasticNet(logarithms(learned.values), label, learned.weight, { c: 1, l1Ratio: 0.5, rounds: 150 });
  return logisticLogOdds(model, logarithms(decisions.values));
}

/** Counters are skewed; and a rise that never came is as one long ago. */
function logarithms(values: Float32Array): Float32Array {
  const never = driveFeatureNames.map((name) => (name.endsWith('daysSinceRise') ? Math.log1p(1_000) : Number.NaN));
  return values.map((value, place) => (Number.isNaN(value) ? never[place % never.length]! : Math.sign(value) * Math.log1p(Math.abs(value))));
}

function together(parts: readonly Float64Array[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => Array.from(part)));
}
