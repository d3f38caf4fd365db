import type { RiskLevel } from './assessment.ts';
import { driveFeatureNames } from './drive-features.ts';
import type { FeatureDistribution } from './feature-distribution.ts';

/** A learned judge of hard drives, as plain data: what the control plane trains, the bus carries and every agent runs. */
export interface FailureModel {
  readonly format: 1;
  readonly name: string;
  /** The first 12 hex digits of the SHA-256 of everything else in it. */
  readonly version: string;
  /** What the trees ask, by name; a feature that the reader does not know makes the model unusable for it. */
  readonly features: readonly string[];
  /** Log-odds before any tree was asked. */
  readonly base: number;
  readonly trees: TreeColumns;
  /** Log-odds of the trees to probabilities, for each horizon. */
  readonly calibration: readonly Calibration[];
  /** Probabilities within 30 days from which a drive is called so. */
  readonly levels: { readonly watch: number; readonly 'at-risk': number; readonly failing: number };
  readonly trained: TrainedOn;
  /** How the drives reported over the last months of what it learned from; a model that keeps none is as good a judge, but nobody can tell how unlike a fleet is. */
  readonly distribution?: FeatureDistribution;
}

/**
 * Nodes of all trees, one after the other; children stand behind their parent. A value goes left when it is at most the threshold,
 * and a missing one where the node says.
 */
export interface TreeColumns {
  /** The first node of each tree. */
  readonly roots: readonly number[];
  /** Index into `features`, or -1 for a leaf. */
  readonly feature: readonly number[];
  readonly threshold: readonly number[];
  /** The left child; the right one stands at `right`. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** 1: a missing value goes left. */
  readonly missingLeft: readonly number[];
  /** Log-odds that the drives of a node add, also of inner nodes: the steps between them say what pushed. */
  readonly value: readonly number[];
}

/**
 * A rising piecewise linear curve from log-odds to the probability of failing within a horizon. Beyond its ends, where too few failures tell, the odds go on
 * half as fast as those of the trees, so that drives keep their order. A single point says the same of all.
 */
export interface Calibration {
  readonly horizonDays: number;
  readonly logOdds: readonly number[];
  readonly probability: readonly number[];
}

/** Where a model comes from: with the same data, seed and code it is made again byte for byte. */
export interface TrainedOn {
  /** SHA-256 over the decisions it learned from. */
  readonly dataHash: string;
  readonly from: string;
  readonly to: string;
  readonly drives: number;
  readonly failures: number;
  readonly seed: number;
  readonly parameters: Readonly<Record<string, number | string>>;
}

/** The probability of failing within 7 and within 30 days, by the curves of a model. */
export interface Score {
  readonly logOdds: number;
  readonly p7: number;
  readonly p30: number;
}

/** What a probability of failing within 30 days amounts to. */
export function levelOfScore(p30: number, levels: FailureModel['levels']): RiskLevel {
  if (p30 >= levels.failing) return 'failing';
  if (p30 >= levels['at-risk']) return 'at-risk';
  return p30 >= levels.watch ? 'watch' : 'healthy';
}

/** How much one feature pushed the log-odds up (above 0) or down. */
export interface Push {
  readonly feature: string;
  readonly by: number;
}

/** A model made ready to be asked often. What it is given stands in the order of `driveFeatureNames`, whichever of them the model asks for and in which order. */
export class FailureJudge {
  readonly model: FailureModel;
  readonly #roots: Int32Array;
  readonly #feature: Int16Array;
  readonly #threshold: Float64Array;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #missingLeft: Uint8Array;
  readonly #value: Float64Array;

  constructor(model: FailureModel) {
    this.model = model;
    this.#roots = Int32Array.from(model.trees.roots);
    this.#feature = Int16Array.from(model.trees.feature, (feature) => (feature < 0 ? -1 : driveFeatureNames.indexOf(model.features[feature]!)));
    this.#threshold = Float64Array.from(model.trees.threshold);
    this.#left = Int32Array.from(model.trees.left);
    this.#right = Int32Array.from(model.trees.right);
    this.#missingLeft = Uint8Array.from(model.trees.missingLeft);
    this.#value = Float64Array.from(model.trees.value);
  }

  /** @param features NaN where missing; read from `from` on */
  logOdds(features: ArrayLike<number>, from = 0): number {
    // All that each step reads stands at hand: this is asked of every drive, and takes two thirds of the time that it takes through `#next`.
    const [feature, threshold, value] = [this.#feature, this.#threshold, this.#value];
    const [left, right, missingLeft] = [this.#left, this.#right, this.#missingLeft];
    let sum = this.model.base;
    for (const root of this.#roots) {
      let node = root;
      for (let asked = feature[node]!; asked >= 0; asked = feature[node]!) {
        const known = features[from + asked]!;
        const isLeft = known <= threshold[node]! || (missingLeft[node] === 1 && Number.isNaN(known));
        node = isLeft ? left[node]! : right[node]!;
      }
      sum += value[node]!;
    }
    return sum;
  }

  score(features: ArrayLike<number>): Score {
    const logOdds = this.logOdds(features);
    const p30 = this.probability(logOdds, 30);
    return { logOdds, p7: Math.min(p30, this.probability(logOdds, 7)), p30 };
  }

  probability(logOdds: number, horizonDays: 7 | 30): number {
    const curve = this.model.calibration.find((one) => one.horizonDays === horizonDays);
    return curve === undefined ? Number.NaN : valueOn(curve, logOdds);
  }

  /** What pushed, the strongest upwards first: for every tree the steps between the nodes on the way, summed by feature (Saabas 2014). */
  pushes(features: ArrayLike<number>): Push[] {
    const by = new Float64Array(driveFeatureNames.length);
    for (const root of this.#roots) {
      for (let node = root; this.#feature[node]! >= 0; ) {
        const next = this.#next(node, features, 0);
        by[this.#feature[node]!]! += this.#value[next]! - this.#value[node]!;
        node = next;
      }
    }
    return driveFeatureNames.map((feature, i) => ({ feature, by: by[i]! })).sort((a, b) => b.by - a.by);
  }

  #next(node: number, features: ArrayLike<number>, from: number): number {
    const value = features[from + this.#feature[node]!]!;
    const goesLeft = Number.isNaN(value) ? this.#missingLeft[node] === 1 : value <= this.#threshold[node]!;
    return goesLeft ? this.#left[node]! : this.#right[node]!;
  }
}

function valueOn({ logOdds, probability }: Calibration, at: number): number {
  if (logOdds.length === 1) return probability[0]!;
  const above = logOdds.findIndex((place) => place >= at);
  if (above === 0) return beyond(probability[0]!, at - logOdds[0]!);
  if (above < 0) return beyond(probability.at(-1)!, at - logOdds.at(-1)!);
  const share = (at - logOdds[above - 1]!) / (logOdds[above]! - logOdds[above - 1]!);
  return probability[above - 1]! + share * (probability[above]! - probability[above - 1]!);
}

function beyond(probability: number, by: number): number {
  const odds = (probability / (1 - probability)) * Math.exp(by / 2);
  return odds / (1 + odds);
}
