import type { ComparedFeature } from '@data-in-motion/shared/domain/compared-feature';
import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';

/** The features of a fleet at one look: a row per drive, as wide as `driveFeatureNames`; NaN is missing. */
export type FleetFeatures = readonly ArrayLike<number>[];

export const driftFrom = 0.25;
const bins = 10;
/** The fleet is compared with the middle of the 30 days before the last 7. */
export const daysBefore = 7 + 15;
/** So long a drive was watched before it counts: every window of a feature, the longest has 90 days, is full at both looks. */
export const watchedDays = daysBefore + 90;
/** A few drives are no distribution. */
export const leastDrives = 30;
/** Of a normal distribution, what is passed by chance three times in 100,000: dozens of features are looked at day after day. */
const beyondChance = 4;

/**
 * How each feature is distributed now and was before, the strongest shift first.
 *
 * The index is Σ (now − before) · ln(now / before) over the shares of drives in bins that held a tenth each before, missing values in a bin of their own;
 * 0.25 is the usual bound for a shift that asks for a new model (N. Siddiqi, Credit Risk Scorecards, 2006). Of small fleets it is large by chance
 * alone, about (1/n + 1/m) times a chi-square with as many degrees as there are bins but one (B. Yurdakul, Statistical Properties of Population Stability
 * Index, 2018): it must pass that too. Features that only count time are left out, since they move by themselves.
 *
 * @returns empty when either look has too few drives
 */
export function compareFeatures(before: FleetFeatures, now: FleetFeatures): ComparedFeature[] {
  if (before.length < leastDrives || now.length < leastDrives) return [];
  return driveFeatureNames
    .flatMap((feature, column): ComparedFeature[] => {
      if (countsTime(feature)) return [];
      const [was, is] = [valuesOf(before, column), valuesOf(now, column)];
      const edges = edgesOf(was);
      const [sharesBefore, shares] = [sharesIn(edges, was, before.length), sharesIn(edges, is, now.length)];
      const bound = Math.max(driftFrom, (1 / before.length + 1 / now.length) * chiSquareBound(edges.length + 1));
      return [
        {
          feature,
          index: stabilityIndex(sharesBefore, shares),
          bound,
          medianBefore: median(was),
          median: median(is),
          edges,
          sharesBefore: kept(sharesBefore),
          shares: kept(shares),
        },
      ];
    })
    .sort((a, b) => b.index - a.index);
}

export function hasDrifted({ index, bound }: Pick<ComparedFeature, 'index' | 'bound'>): boolean {
  return index > bound;
}

function countsTime(feature: string): boolean {
  return feature === 'powerOnHours' || /(daysSinceRise|daysSinceChange|perHour)$/.test(feature);
}

/** What is reported, rising. */
function valuesOf(rows: FleetFeatures, column: number): Float64Array {
  return Float64Array.from(rows.flatMap((row) => (Number.isNaN(row[column]!) ? [] : [row[column]!]))).sort();
}

/** Upper ends of all bins but the last; fewer where many drives have the same value. */
function edgesOf(values: Float64Array): number[] {
  if (values.length === 0) return [];
  return [...new Set(Array.from({ length: bins - 1 }, (_, i) => values[Math.floor(((i + 1) * (values.length - 1)) / bins)]!))];
}

/** Half a drive more in each bin: an empty one would make the index infinite. */
function sharesIn(edges: readonly number[], values: Float64Array, drives: number): number[] {
  const counts = new Array<number>(edges.length + 2).fill(0.5);
  for (const value of values) {
    const bin = edges.findIndex((edge) => value <= edge);
    counts[bin < 0 ? edges.length : bin]!++;
  }
  counts[edges.length + 1]! += drives - values.length;
  return counts.map((count) => count / (drives + counts.length / 2));
}

/** Looks are kept for months: more digits than anybody sees are not. */
function kept(shares: readonly number[]): number[] {
  return shares.map((share) => Number(share.toFixed(4)));
}

function stabilityIndex(before: readonly number[], now: readonly number[]): number {
  return before.reduce((sum, was, bin) => sum + (now[bin]! - was) * Math.log(now[bin]! / was), 0);
}

/** By Wilson and Hilferty (1931). */
function chiSquareBound(degrees: number): number {
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + beyondChance * Math.sqrt(spread)) ** 3;
}

function median(values: Float64Array): number | null {
  return values.length === 0 ? null : values[Math.floor((values.length - 1) / 2)]!;
}
