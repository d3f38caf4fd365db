import { createHash } from 'node:crypto';
import { dateOfDay } from '@data-in-motion/shared/domain/calendar-days';
import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import { FailureJudge, type FailureModel } from '@data-in-motion/shared/domain/failure-model';
import { seededRandom } from '@data-in-motion/shared/random';
import { type Decisions, decisionsOn, failedWithin } from './decisions.ts';
import { falsePositiveRates, type Interval, intervalsByDrive, measure, type Quality, type Scored } from './measure.ts';
import { monthStarts, type RecordedDrive } from './recorded-drive.ts';
import { rules, scoreByRule } from './rules.ts';

/** How good a judge is on drives and months, with what others go by beside it. */
export interface Evaluation {
  /** SHA-256 over the decisions and what became of them: figures of two models are compared where this is equal. */
  readonly dataHash: string;
  readonly from: string;
  readonly to: string;
  readonly horizonDays: number;
  readonly quality: Quality;
  readonly intervals: Readonly<Record<Figure, Interval | null>>;
  /** Alarms at the threshold that lets 1 % of the others through, on drives that did not fail, per 1,000 months of a drive. */
  readonly falseAlarmsPer1000Months: number | null;
  /** Days from a failed drive's first alarm at that threshold to its end; null when none had one. */
  readonly leadDays: { readonly median: number; readonly quarter: number; readonly threeQuarters: number } | null;
  readonly calibration: readonly CalibrationBin[];
  /** Share of failures found at rising shares of false alarms. */
  readonly curve: readonly CurvePoint[];
  readonly rules: readonly RuleQuality[];
  readonly byMaker: readonly PartQuality[];
  readonly byModel: readonly PartQuality[];
}

export interface CalibrationBin {
  readonly decisions: number;
  readonly foretold: number;
  readonly happened: number;
}

export interface CurvePoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
}

export interface RuleQuality {
  readonly name: string;
  readonly says: string;
  readonly truePositiveRate: number | null;
  readonly falsePositiveRate: number | null;
  readonly precision: number | null;
  /** Of the judged model at the rule's own share of false alarms. */
  readonly modelAtSameRate: number | null;
}

export interface PartQuality {
  readonly name: string;
  readonly drives: number;
  readonly quality: Quality;
}

const figureNames = ['auc', 'averagePrecision', ...falsePositiveRates] as const;
export type Figure = (typeof figureNames)[number];

const horizonDays = 30;
const draws = 200;
/** Parts with fewer failures say nothing. */
const leastFailures = 5;
const calibrationBins = 10;

/** What a model says of every decision. */
export function scoreByModel(
  model: FailureModel,
  { values, days }: Decisions,
): { readonly p7: Float64Array; readonly p30: Float64Array; readonly logOdds: Float64Array } {
  const judge = new FailureJudge(model);
  const width = driveFeatureNames.length;
  const logOdds = Float64Array.from(days, (_, row) => judge.logOdds(values, row * width));
  const p30 = logOdds.map((odds) => judge.probability(odds, 30));
  return { logOdds, p30, p7: logOdds.map((odds, row) => Math.min(p30[row]!, judge.probability(odds, 7))) };
}

/** The first of each month from one day to before another, over every drive alive then. */
export function monthlyDecisions(drives: readonly RecordedDrive[], fromDay: number, toDay: number): Decisions {
  return decisionsOn(drives, monthStarts(fromDay, toDay));
}

/**
 * Measure a judge on decisions.
 *
 * @param score rises with risk; `probability` is what is compared with what happened
 * @param seed of the drives drawn for the intervals
 */
export function evaluate(decisions: Decisions, score: ArrayLike<number>, probability: ArrayLike<number>, seed: number): Evaluation {
  const failed = failedWithin(decisions, horizonDays);
  const scored: Scored = { driveId: decisions.drives.map((drive) => drive.driveId), score, failed };
  const days = decisions.days;
  const alarm = alarmThreshold(score, failed, 0.01);
  return {
    dataHash: hashOf(decisions, failed),
    from: days.length === 0 ? '' : dateOfDay(Math.min(...new Set(days))),
    to: days.length === 0 ? '' : dateOfDay(Math.max(...new Set(days))),
    horizonDays,
    quality: measure(scored),
    intervals: intervalsByDrive(scored, figuresOf, draws, seededRandom(seed)),
    falseAlarmsPer1000Months: alarm === null ? null : falseAlarmsPer1000(decisions, score, alarm),
    leadDays: alarm === null ? null : leadDays(decisions, score, alarm),
    calibration: calibrationOf(probability, failed),
    curve: curveOf(score, failed),
    rules: rules.map((rule) => ({ name: rule.name, says: rule.says, ...besides(scoreByRule(rule, decisions), score, failed) })),
    byMaker: partsBy(decisions, score, failed, (drive) => drive.maker),
    byModel: partsBy(decisions, score, failed, (drive) => drive.model),
  };
}

function hashOf({ drives, days }: Decisions, failed: Uint8Array): string {
  const hash = createHash('sha256');
  for (const [row, drive] of drives.entries()) hash.update(`${drive.driveId} ${days[row]} ${failed[row]}\n`);
  return hash.digest('hex');
}

function figuresOf(scored: Pick<Scored, 'score' | 'failed'>): Record<Figure, number | null> {
  const { auc, averagePrecision, truePositiveRate } = measure(scored);
  return { auc, averagePrecision, ...truePositiveRate };
}

/** The score above which at most this share of decisions without failure lies; null without any. */
export function alarmThreshold(score: ArrayLike<number>, failed: ArrayLike<number>, falsePositiveRate: number): number | null {
  const others = Float64Array.from(Array.from(score).filter((_, row) => failed[row] === 0)).sort();
  return others.length === 0 ? null : others[others.length - 1 - Math.floor(falsePositiveRate * others.length)]!;
}

function falseAlarmsPer1000({ drives, days }: Decisions, score: ArrayLike<number>, alarm: number): number {
  const alarms = drives.filter((drive, row) => score[row]! > alarm && !(drive.failed && drive.lastDay - days[row]! <= horizonDays)).length;
  return (1_000 * alarms) / drives.length;
}

function leadDays({ drives, days }: Decisions, score: ArrayLike<number>, alarm: number): Evaluation['leadDays'] {
  const first = new Map<string, number>();
  for (const [row, drive] of drives.entries()) {
    if (!drive.failed || score[row]! <= alarm) continue;
    first.set(drive.driveId, Math.max(first.get(drive.driveId) ?? 0, drive.lastDay - days[row]!));
  }
  const leads = [...first.values()].sort((a, b) => a - b);
  if (leads.length === 0) return null;
  const at = (share: number): number => Math.round(leads[Math.floor(share * (leads.length - 1))]!);
  return { median: at(0.5), quarter: at(0.25), threeQuarters: at(0.75) };
}

/** Foretold and happened, in groups that hold equally many failures foretold. */
function calibrationOf(probability: ArrayLike<number>, failed: ArrayLike<number>): CalibrationBin[] {
  const order = Array.from({ length: probability.length }, (_, row) => row).sort((a, b) => probability[a]! - probability[b]!);
  const total = order.reduce((sum, row) => sum + probability[row]!, 0);
  const bins: CalibrationBin[] = [];
  let [decisions, foretold, happened] = [0, 0, 0];
  for (const [place, row] of order.entries()) {
    decisions++;
    foretold += probability[row]!;
    happened += failed[row]!;
    if (foretold < total / calibrationBins && place < order.length - 1) continue;
    bins.push({ decisions, foretold: foretold / decisions, happened: happened / decisions });
    [decisions, foretold, happened] = [0, 0, 0];
  }
  return bins;
}

/** Five points for each tenfold of false alarms, from one in ten thousand. */
function curveOf(score: ArrayLike<number>, failed: Uint8Array): CurvePoint[] {
  const failures = failed.filter((one) => one === 1).length;
  if (failures === 0) return [];
  return Array.from({ length: 20 }, (_, i) => 10 ** (-4 + i / 5)).flatMap((falsePositiveRate) => {
    const threshold = alarmThreshold(score, failed, falsePositiveRate);
    if (threshold === null) return [];
    return [{ falsePositiveRate, truePositiveRate: failed.filter((one, row) => one === 1 && score[row]! > threshold).length / failures }];
  });
}

function besides(rule: Float64Array, score: ArrayLike<number>, failed: Uint8Array): Omit<RuleQuality, 'name' | 'says'> {
  const failures = failed.reduce((sum, one) => sum + one, 0);
  const others = failed.length - failures;
  const found = rule.filter((value, row) => value > 0 && failed[row] === 1).length;
  const alarms = rule.filter((value) => value > 0).length;
  const falsePositiveRate = others === 0 ? null : (alarms - found) / others;
  const threshold = falsePositiveRate === null ? null : alarmThreshold(score, failed, falsePositiveRate);
  const foundByModel = threshold === null ? null : failed.filter((one, row) => one === 1 && score[row]! > threshold).length;
  return {
    truePositiveRate: failures === 0 ? null : found / failures,
    falsePositiveRate,
    precision: alarms === 0 ? null : found / alarms,
    modelAtSameRate: failures === 0 || foundByModel === null ? null : foundByModel / failures,
  };
}

function partsBy(decisions: Decisions, score: ArrayLike<number>, failed: Uint8Array, of: (drive: RecordedDrive) => string): PartQuality[] {
  const rows = Map.groupBy(Array.from(decisions.days.keys()), (row) => of(decisions.drives[row]!));
  return [...rows]
    .map(([name, own]) => ({
      name,
      drives: new Set(own.map((row) => decisions.drives[row]!.driveId)).size,
      quality: measure({ score: own.map((row) => score[row]!), failed: own.map((row) => failed[row]!) }),
    }))
    .filter(({ quality }) => quality.failures >= leastFailures)
    .sort((a, b) => b.quality.failures - a.quality.failures);
}
