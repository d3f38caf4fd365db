import { lowerBound } from '@data-in-motion/shared/lower-bound';
import { type Random, randomInt } from '@data-in-motion/shared/random';

/** Rows of features by bin: trees are grown over 255 steps of each feature instead of over its values. */
export interface BinnedRows {
  readonly count: number;
  /** A column for each feature: the bin of every row, `missingBin` where the value is missing. */
  readonly bins: readonly Uint8Array[];
  /** For each feature, rising: a value is in the first bin whose edge it does not exceed, or in the one after the last. */
  readonly edges: readonly Float64Array[];
}

export const missingBin = 255;
const mostEdges = 254;
/** Rows looked at to find the edges; more do not move them. */
const looked = 60_000;

/**
 * Find the edges of every feature: half of them so that rows spread evenly, half so that distinct values do. Counters are zero on most drives,
 * and what tells drives apart is among the rare large values, which even spreading of rows alone puts into one bin.
 *
 * @param values row after row, `width` numbers each; NaN is missing
 */
export function findEdges(values: Float32Array, width: number, random: Random): Float64Array[] {
  const count = values.length / width;
  const rows = Array.from({ length: Math.min(count, looked) }, (_, i) => (count <= looked ? i : randomInt(random, 0, count)));
  return Array.from({ length: width }, (_, feature) => {
    const seen = Float64Array.from(rows.map((row) => values[row * width + feature]!).filter((value) => !Number.isNaN(value))).sort();
    const distinct = seen.filter((value, i) => i === 0 || value !== seen[i - 1]);
    if (distinct.length <= mostEdges + 1) return Float64Array.from(distinct.subarray(1), (value, i) => (value + distinct[i]!) / 2);
    const half = mostEdges / 2;
    const spread = (list: Float64Array): number[] => Array.from({ length: half - 1 }, (_, i) => list[Math.floor(((i + 1) * list.length) / half)]!);
    const upper = [...new Set([...spread(seen), ...spread(distinct)])].sort((a, b) => a - b);
    // Just below a value that is there, so that it falls to the right of its own edge in training as in use.
    return Float64Array.from(upper, (value) => value - Math.abs(value) * 1e-7 - 1e-9);
  });
}

/** Put every row into the bins of the edges. */
export function binRows(values: Float32Array, edges: readonly Float64Array[]): BinnedRows {
  const width = edges.length;
  const count = values.length / width;
  const bins = edges.map((own, feature) => {
    const column = new Uint8Array(count);
    for (let row = 0; row < count; row++) column[row] = binOf(values[row * width + feature]!, own);
    return column;
  });
  return { count, bins, edges };
}

function binOf(value: number, edges: Float64Array): number {
  return Number.isNaN(value) ? missingBin : lowerBound(edges, value);
}
