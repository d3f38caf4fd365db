import type { ComparedFeature } from '@data-in-motion/shared/domain/compared-feature';
import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import type { FeatureDistribution } from '@data-in-motion/shared/domain/feature-distribution';
import { countIn, type FeatureRows, leastDrives, median, valuesOf } from './feature-distribution.ts';

export const driftFrom = 0.25;
/** Of a normal distribution, what is passed by chance three times in 100,000: dozens of features are looked at day after day. */
const beyondChance = 4;

/**
 * How each feature is distributed over the drives of a fleet now and was before, there or elsewhere; the strongest shift first.
 *
 * The index is Σ (now − before) · ln(now / before) over the shares of looks in the bins of before, missing values in a bin of their own;
 * 0.25 is the usual bound for a shift that asks for a new model (N. Siddiqi, Credit Risk Scorecards, 2006). Of small fleets it is large by chance
 * alone, about (1/n + 1/m) times a chi-square with as many degrees as there are bins but one (B. Yurdakul, Statistical Properties of Population Stability
 * Index, 2018): it must pass that too. Looks at the same drive are no more than one for that.
 *
 * @param now a row per drive
 * @returns empty when there are too few drives
 */
export function compareFeatures(before: FeatureDistribution, now: FeatureRows): ComparedFeature[] {
  if (before.drives < leastDrives || now.length < leastDrives) return [];
  return before.features
    .flatMap(({ feature, edges, counts, median: medianBefore }): ComparedFeature[] => {
      const column = driveFeatureNames.indexOf(feature);
      if (column < 0) return [];
      const values = valuesOf(now, column);
      const [sharesBefore, shares] = [sharesOf(counts), sharesOf(countIn(edges, values, now.length))];
      const bound = Math.max(driftFrom, (1 / before.drives + 1 / now.length) * chiSquareBound(edges.length + 1));
      return [
        {
          feature,
          index: stabilityIndex(sharesBefore, shares),
          bound,
          medianBefore,
          median: median(values),
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

/** Half a look more in each bin: an empty one would make the index infinite. */
function sharesOf(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count + 0.5, 0);
  return counts.map((count) => (count + 0.5) / all);
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
