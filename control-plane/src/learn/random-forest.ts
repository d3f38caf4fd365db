import { type Random, randomInt } from '@data-in-motion/shared/random';
import { addTree, type BoostedTrees, type Labelled } from './boost-trees.ts';
import { growTree, type Tree } from './grow-tree.ts';

export interface ForestSettings {
  readonly trees: number;
  /** Features that each tree may ask, as a share of all. */
  readonly maxFeatures: number;
  readonly maxDepth: number;
  /** Least weighted rows in a leaf. */
  readonly minLeafRows: number;
  readonly failureWeight: number;
}

/**
 * A random forest as a baseline: every tree learns the share of failures from rows drawn with replacement and features drawn without (Breiman 2001;
 * the features are drawn once for a tree). The trees' mean is a share, so what it answers is a probability and not log-odds.
 */
export function growForest({ data, label, weight }: Labelled, settings: ForestSettings, random: Random): BoostedTrees {
  const directions = new Int8Array(data.bins.length);
  const limits = { leaves: 2 ** Math.min(12, settings.maxDepth), depth: settings.maxDepth, evidence: settings.minLeafRows, shrink: 1e-3 };
  const usable = data.bins.flatMap((_, feature) => (data.edges[feature]!.length > 0 ? [feature] : []));
  const trees = Array.from({ length: data.count === 0 ? 0 : settings.trees }, (): Tree => {
    const drawn = new Int32Array(data.count);
    for (let i = 0; i < data.count; i++) drawn[randomInt(random, 0, data.count)]!++;
    const slopes = { first: new Float32Array(data.count), second: new Float32Array(data.count) };
    for (let row = 0; row < data.count; row++) {
      const own = drawn[row]! * weight[row]! * (label[row] === 1 ? settings.failureWeight : 1);
      // The squared loss from zero: a leaf's value is then the weighted share of failures among its rows.
      slopes.first[row] = -label[row]! * own;
      slopes.second[row] = own;
    }
    const rows = Int32Array.from({ length: data.count }, (_, row) => row).filter((row) => drawn[row]! > 0);
    const features = usable.filter(() => random.next() < settings.maxFeatures);
    const tree = growTree(data, slopes, rows, features, directions, limits);
    for (let node = 0; node < tree.value.length; node++) tree.value[node]! /= settings.trees;
    return tree;
  });
  return { base: 0, trees };
}

/** What an additive model says of every row. */
export function sumOfTrees({ base, trees }: BoostedTrees, data: Labelled['data']): Float64Array {
  const sums = new Float64Array(data.count).fill(base);
  for (const tree of trees) addTree(sums, data, tree);
  return sums;
}
