import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import type { DistributedFeature, FeatureDistribution } from '@data-in-motion/shared/domain/feature-distribution';
import { decisionsOn } from './decisions.ts';
import { monthStarts, type RecordedDrive } from './recorded-drive.ts';

/** A row for each look at a drive, as wide as `driveFeatureNames`; NaN is missing. */
export type FeatureRows = readonly ArrayLike<number>[];

const bins = 10;
/** A few drives are no distribution. */
export const leastDrives = 30;
/** So long a drive was watched before it counts: the longest window of a feature is full then. */
export const watchedDays = 90;
/** Of what a model is trained on, so many months at the end are kept: the drives that are nearest to those that it will judge. */
const monthsKept = 3;
const digits = 6;

/**
 * How each feature is distributed over looks, in bins that hold about a tenth each; fewer where many looks have the same value. Features that only
 * count time are left out, since they move by themselves.
 *
 * @param drives how many drives the rows are of
 * @returns null of too few drives
 */
export function distributionOf(rows: FeatureRows, drives = rows.length): FeatureDistribution | null {
  if (drives < leastDrives) return null;
  const features = driveFeatureNames.flatMap((feature, column): DistributedFeature[] => {
    if (countsTime(feature)) return [];
    const values = valuesOf(rows, column);
    const edges = edgesOf(values);
    return [{ feature, median: median(values), edges, counts: countIn(edges, values, rows.length) }];
  });
  return { drives, looks: rows.length, features };
}

/** The drives that were alive, and watched long enough, on the first of each of the last months before a day. Nothing later is looked at. */
export function distributionBefore(drives: readonly RecordedDrive[], fromDay: number, untilDay: number): FeatureDistribution | null {
  const width = driveFeatureNames.length;
  const seen = new Set<string>();
  const rows: Float32Array[] = [];
  for (const day of monthStarts(fromDay, untilDay).slice(-monthsKept)) {
    const looks = decisionsOn(
      drives.filter(({ firstDay }) => firstDay <= day - watchedDays),
      [day],
    );
    for (const [row, { driveId }] of looks.drives.entries()) {
      seen.add(driveId);
      rows.push(looks.values.subarray(row * width, (row + 1) * width));
    }
  }
  return distributionOf(rows, seen.size);
}

/** The same bins with the looks of another day in them; of so many drives as there were at most on one day. */
export function withLooks({ drives, looks, features }: FeatureDistribution, rows: FeatureRows): FeatureDistribution {
  const more = features.map(({ feature, median: middle, edges, counts }) => {
    const now = countIn(edges, valuesOf(rows, driveFeatureNames.indexOf(feature)), rows.length);
    return { feature, median: middle, edges, counts: counts.map((count, bin) => count + now[bin]!) };
  });
  return { drives: Math.max(drives, rows.length), looks: looks + rows.length, features: more };
}

function countsTime(feature: string): boolean {
  return feature === 'powerOnHours' || /(daysSinceRise|daysSinceChange|perHour)$/.test(feature);
}

/** What is reported, rising. */
export function valuesOf(rows: FeatureRows, column: number): Float64Array {
  return Float64Array.from(rows.flatMap((row) => (Number.isNaN(row[column]!) ? [] : [row[column]!]))).sort();
}

/** How many looks are in each bin, and behind the bins of values how many tell none. */
export function countIn(edges: readonly number[], values: Float64Array, looks: number): number[] {
  const counts = new Array<number>(edges.length + 2).fill(0);
  let bin = 0;
  for (const value of values) {
    while (bin < edges.length && value > edges[bin]!) bin++;
    counts[bin]!++;
  }
  counts[edges.length + 1] = looks - values.length;
  return counts;
}

export function median(values: Float64Array): number | null {
  return values.length === 0 ? null : values[Math.floor((values.length - 1) / 2)]!;
}

function edgesOf(values: Float64Array): number[] {
  if (values.length === 0) return [];
  return [...new Set(Array.from({ length: bins - 1 }, (_, i) => roundedUp(values[Math.floor(((i + 1) * (values.length - 1)) / bins)]!)))];
}

/** Upwards, so that a value stays in the bin that ends at it: a text of a model has few digits, and one that was trained knows values with seven. */
function roundedUp(value: number): number {
  const near = Number(value.toPrecision(digits));
  if (near >= value) return near;
  return Number((near + 10 ** (Math.floor(Math.log10(Math.abs(near))) - digits + 1)).toPrecision(digits));
}
