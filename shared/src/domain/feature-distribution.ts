/** How what drives report is spread over them: a model keeps that of the drives it was trained on, and of a fleet is kept how it was at first. */
export interface FeatureDistribution {
  readonly drives: number;
  /** Each of them was looked at once or more; the counts are of looks. */
  readonly looks: number;
  readonly features: readonly DistributedFeature[];
}

export interface DistributedFeature {
  readonly feature: string;
  /** Half of the looks that tell it are at most at this; null when none does. */
  readonly median: number | null;
  /** Rising: the upper ends, each belonging to its bin, of all bins of values but the last. */
  readonly edges: readonly number[];
  /** Looks in each bin of values, and behind them those in which it was not reported. */
  readonly counts: readonly number[];
}

/** How a fleet was in the first weeks in which a model was active; days since 1970-01-01. */
export interface FirstLooks {
  readonly fromDay: number;
  readonly toDay: number;
  readonly distribution: FeatureDistribution;
}
