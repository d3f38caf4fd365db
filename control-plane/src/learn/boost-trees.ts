import type { Random } from '@data-in-motion/shared/random';
import { type BinnedRows, missingBin } from './binned-rows.ts';
import { type Directions, growTree, type Tree, type TreeLimits } from './grow-tree.ts';

export interface BoostSettings extends TreeLimits {
  readonly trees: number;
  readonly learningRate: number;
  /** Share of the negative rows, and of the features, that each tree looks at. Failures are rare, so every one of them is always looked at. */
  readonly rowShare: number;
  readonly columnShare: number;
  /** How much more a failure weighs than a row that did not fail. */
  readonly failureWeight: number;
}

export interface Labelled {
  readonly data: BinnedRows;
  /** 1 for a failure. */
  readonly label: Uint8Array;
  readonly weight: Float32Array;
}

/** An additive model over bins: the log-odds are `base` and the leaf values of all trees. */
export interface BoostedTrees {
  readonly base: number;
  readonly trees: readonly Tree[];
}

/**
 * Gradient boosting of the logistic loss. With a held-out part it ends when that part has not become better for `patience` trees, and keeps the
 * trees up to its best.
 *
 * @param heldOut rows of other drives and later months, over the same edges; null to grow all trees
 */
export function boostTrees(
  rows: Labelled,
  directions: Directions,
  settings: BoostSettings,
  random: Random,
  heldOut: { rows: Labelled; patience: number } | null = null,
): BoostedTrees {
  const { data, label } = rows;
  const weight = weighFailures(rows, settings.failureWeight);
  const base = baseLogOdds(label, weight);
  const trees: Tree[] = [];
  if (!Number.isFinite(base)) return { base: Number.isNaN(base) ? 0 : Math.sign(base) * 20, trees };
  const logOdds = new Float64Array(data.count).fill(base);
  const slopes = { first: new Float32Array(data.count), second: new Float32Array(data.count) };
  const watch = heldOut === null ? null : new HeldOut(heldOut.rows, base, heldOut.patience);
  while (trees.length < settings.trees && watch?.isOver !== true) {
    const chosen = slope(rows, weight, logOdds, slopes, settings.rowShare, random);
    const features = data.bins.flatMap((_, feature) => (data.edges[feature]!.length > 0 && random.next() < settings.columnShare ? [feature] : []));
    const tree = growTree(data, slopes, chosen, features, directions, settings);
    for (let node = 0; node < tree.value.length; node++) tree.value[node]! *= settings.learningRate;
    addTree(logOdds, data, tree);
    trees.push(tree);
    watch?.look(tree);
  }
  return { base, trees: watch === null ? trees : trees.slice(0, watch.bestTrees) };
}

/** Add what one tree says of every row. */
export function addTree(logOdds: Float64Array, data: BinnedRows, tree: Tree): void {
  for (let row = 0; row < data.count; row++) {
    let node = 0;
    while (tree.feature[node]! >= 0) {
      const bin = data.bins[tree.feature[node]!]![row]!;
      const goesLeft = bin === missingBin ? tree.missingLeft[node] === 1 : bin <= tree.bin[node]!;
      node = goesLeft ? tree.left[node]! : tree.right[node]!;
    }
    logOdds[row]! += tree.value[node]!;
  }
}

function weighFailures({ label, weight }: Labelled, failureWeight: number): Float32Array {
  return weight.map((own, row) => (label[row] === 1 ? own * failureWeight : own));
}

function baseLogOdds(label: Uint8Array, weight: Float32Array): number {
  let [failed, all] = [0, 0];
  for (let row = 0; row < label.length; row++) {
    all += weight[row]!;
    if (label[row] === 1) failed += weight[row]!;
  }
  return Math.log(failed / (all - failed));
}

/** Both derivatives of the loss for the rows that the next tree looks at; what stands for rows left out weighs as much more. @returns those rows */
function slope(
  { data, label }: Labelled,
  weight: Float32Array,
  logOdds: Float64Array,
  slopes: { first: Float32Array; second: Float32Array },
  rowShare: number,
  random: Random,
): Int32Array {
  const chosen = new Int32Array(data.count);
  let count = 0;
  for (let row = 0; row < data.count; row++) {
    const stands = label[row] === 1 ? 1 : rowShare;
    if (stands < 1 && random.next() >= stands) continue;
    const probability = 1 / (1 + Math.exp(-logOdds[row]!));
    const own = weight[row]! / stands;
    slopes.first[row] = (probability - label[row]!) * own;
    slopes.second[row] = Math.max(1e-6, probability * (1 - probability)) * own;
    chosen[count++] = row;
  }
  return chosen.subarray(0, count);
}

/** Says when rows that are not learned from stop getting better. */
class HeldOut {
  bestTrees = 0;
  readonly #rows: Labelled;
  readonly #logOdds: Float64Array;
  readonly #patience: number;
  #seen = 0;
  #bestLoss: number;

  constructor(rows: Labelled, base: number, patience: number) {
    this.#rows = rows;
    this.#logOdds = new Float64Array(rows.data.count).fill(base);
    this.#patience = patience;
    this.#bestLoss = this.#loss();
  }

  get isOver(): boolean {
    return this.#seen - this.bestTrees >= this.#patience;
  }

  look(tree: Tree): void {
    addTree(this.#logOdds, this.#rows.data, tree);
    this.#seen++;
    const loss = this.#loss();
    if (loss >= this.#bestLoss) return;
    this.#bestLoss = loss;
    this.bestTrees = this.#seen;
  }

  #loss(): number {
    const { label, weight } = this.#rows;
    let sum = 0;
    for (let row = 0; row < label.length; row++) {
      const margin = label[row] === 1 ? this.#logOdds[row]! : -this.#logOdds[row]!;
      sum += weight[row]! * (margin > 0 ? Math.log1p(Math.exp(-margin)) : -margin + Math.log1p(Math.exp(margin)));
    }
    return sum;
  }
}
