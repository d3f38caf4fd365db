import { type BinnedRows, missingBin } from './binned-rows.ts';

/** One tree over bins; children stand behind their parent. */
export interface Tree {
  /** Index of the feature, -1 for a leaf. */
  readonly feature: number[];
  /** Rows in this bin or below go left. */
  readonly bin: number[];
  readonly left: number[];
  readonly right: number[];
  readonly missingLeft: number[];
  /** What the rows of the node would be given if it were a leaf, before the learning rate. */
  readonly value: number[];
}

export interface TreeLimits {
  readonly leaves: number;
  readonly depth: number;
  /** Least sum of second derivatives in a leaf: how much evidence a leaf must rest on. */
  readonly evidence: number;
  /** Pull of leaf values to zero (L2). */
  readonly shrink: number;
}

/** For each row the first and second derivative of the loss. */
export interface Slopes {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** For each feature: 1 when its risk may only rise, -1 when it may only fall, 0 when the data alone says. */
export type Directions = Int8Array;

interface Split {
  readonly gain: number;
  readonly feature: number;
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly first: number;
  readonly second: number;
}

interface Open {
  readonly node: number;
  readonly rows: Int32Array;
  readonly first: number;
  readonly second: number;
  readonly depth: number;
  /** Between these the values below must stay, so that a constrained feature is monotone over the whole tree. */
  readonly low: number;
  readonly high: number;
  sums: Float64Array;
  best: Split | null;
}

const binsPerFeature = 256;
const leastGain = 1e-6;

/**
 * Grow one tree leaf by leaf, the most gainful split first (histograms, second-order gain and default directions for missing values as in
 * XGBoost, Chen and Guestrin 2016; monotone bounds as in its `monotone_constraints`).
 *
 * @param rows the rows to learn from
 * @param features the features that may be asked
 */
export function growTree(data: BinnedRows, slopes: Slopes, rows: Int32Array, features: readonly number[], directions: Directions, limits: TreeLimits): Tree {
  const grower = new Grower(data, slopes, features, directions, limits);
  return grower.grow(rows);
}

class Grower {
  readonly #data: BinnedRows;
  readonly #slopes: Slopes;
  readonly #features: readonly number[];
  readonly #directions: Directions;
  readonly #limits: TreeLimits;
  readonly #tree: Tree = { feature: [], bin: [], left: [], right: [], missingLeft: [], value: [] };

  constructor(data: BinnedRows, slopes: Slopes, features: readonly number[], directions: Directions, limits: TreeLimits) {
    this.#data = data;
    this.#slopes = slopes;
    this.#features = features;
    this.#directions = directions;
    this.#limits = limits;
  }

  grow(rows: Int32Array): Tree {
    let [first, second] = [0, 0];
    for (const row of rows) {
      first += this.#slopes.first[row]!;
      second += this.#slopes.second[row]!;
    }
    const root = this.#open({ rows, first, second, depth: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
    root.sums = this.#sumUp(rows);
    root.best = this.#bestSplit(root);
    const open = [root];
    for (let leaves = 1; leaves < this.#limits.leaves; leaves++) {
      const next = open.reduce<Open | null>((best, one) => (one.best !== null && one.best.gain > (best?.best?.gain ?? 0) ? one : best), null);
      if (next === null) break;
      open.splice(open.indexOf(next), 1, ...this.#split(next, next.best!));
    }
    return this.#tree;
  }

  #open(node: Omit<Open, 'node' | 'sums' | 'best'>): Open {
    const { feature, bin, left, right, missingLeft, value } = this.#tree;
    for (const column of [bin, left, right, missingLeft]) column.push(0);
    feature.push(-1);
    value.push(this.#valueOf(node));
    return { ...node, node: feature.length - 1, sums: new Float64Array(0), best: null };
  }

  #valueOf({ first, second, low, high }: Pick<Open, 'first' | 'second' | 'low' | 'high'>): number {
    return Math.min(high, Math.max(low, -first / (second + this.#limits.shrink)));
  }

  /** Both derivatives by bin, for each feature that may be asked. */
  #sumUp(rows: Int32Array): Float64Array {
    const { first, second } = this.#slopes;
    const sums = new Float64Array(this.#features.length * binsPerFeature * 2);
    for (const [place, feature] of this.#features.entries()) {
      const bins = this.#data.bins[feature]!;
      const from = place * binsPerFeature * 2;
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!;
        const at = from + (bins[row]! << 1);
        sums[at]! += first[row]!;
        sums[at + 1]! += second[row]!;
      }
    }
    return sums;
  }

  #bestSplit(node: Open): Split | null {
    let best: Split | null = null;
    for (const [place, feature] of this.#features.entries()) best = this.#bestOf(node, place, feature, best);
    return best;
  }

  #bestOf(node: Open, place: number, feature: number, before: Split | null): Split | null {
    const { evidence, shrink } = this.#limits;
    const from = place * binsPerFeature * 2;
    const steps = this.#data.edges[feature]!.length;
    const [missingFirst, missingSecond] = [node.sums[from + 2 * missingBin]!, node.sums[from + 2 * missingBin + 1]!];
    const whole = node.first ** 2 / (node.second + shrink);
    let best = before;
    for (const missingLeft of missingSecond > 0 ? [false, true] : [false]) {
      let first = missingLeft ? missingFirst : 0;
      let second = missingLeft ? missingSecond : 0;
      for (let bin = 0; bin < steps; bin++) {
        first += node.sums[from + 2 * bin]!;
        second += node.sums[from + 2 * bin + 1]!;
        if (second < evidence) continue;
        const restSecond = node.second - second;
        if (restSecond < evidence) break;
        const restFirst = node.first - first;
        const gain = first ** 2 / (second + shrink) + restFirst ** 2 / (restSecond + shrink) - whole;
        if (gain <= (best?.gain ?? leastGain)) continue;
        // A split that turns the known direction around is none.
        if (this.#directions[feature]! * (first / (second + shrink) - restFirst / (restSecond + shrink)) < 0) continue;
        best = { gain, feature, bin, missingLeft, first, second };
      }
    }
    return best;
  }

  #split(node: Open, split: Split): Open[] {
    const bins = this.#data.bins[split.feature]!;
    const goesLeft = (row: number): boolean => (bins[row] === missingBin ? split.missingLeft : bins[row]! <= split.bin);
    const leftRows = node.rows.filter(goesLeft);
    const rightRows = node.rows.filter((row) => !goesLeft(row));
    const bounds = this.#boundsBelow(node, split);
    const depth = node.depth + 1;
    const left = this.#open({ rows: leftRows, first: split.first, second: split.second, depth, ...bounds.left });
    const right = this.#open({ rows: rightRows, first: node.first - split.first, second: node.second - split.second, depth, ...bounds.right });
    const tree = this.#tree;
    tree.feature[node.node] = split.feature;
    tree.bin[node.node] = split.bin;
    tree.missingLeft[node.node] = split.missingLeft ? 1 : 0;
    tree.left[node.node] = left.node;
    tree.right[node.node] = right.node;
    if (depth < this.#limits.depth) {
      const [small, large] = leftRows.length < rightRows.length ? [left, right] : [right, left];
      small.sums = this.#sumUp(small.rows);
      large.sums = node.sums;
      for (let i = 0; i < large.sums.length; i++) large.sums[i]! -= small.sums[i]!;
      left.best = this.#bestSplit(left);
      right.best = this.#bestSplit(right);
    }
    return [left, right];
  }

  #boundsBelow(node: Open, split: Split): { left: Pick<Open, 'low' | 'high'>; right: Pick<Open, 'low' | 'high'> } {
    const { low, high } = node;
    const direction = this.#directions[split.feature]!;
    if (direction === 0) return { left: { low, high }, right: { low, high } };
    const leftValue = this.#valueOf({ first: split.first, second: split.second, low, high });
    const rightValue = this.#valueOf({ first: node.first - split.first, second: node.second - split.second, low, high });
    const middle = (leftValue + rightValue) / 2;
    return direction > 0 ? { left: { low, high: middle }, right: { low: middle, high } } : { left: { low: middle, high }, right: { low, high: middle } };
  }
}
