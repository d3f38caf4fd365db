/** How one feature is distributed over the drives of a fleet at two looks. */
export interface ComparedFeature {
  readonly feature: string;
  /** Population stability index: 0 the same, above 0.25 another population. */
  readonly index: number;
  /** Above it the feature has drifted: 0.25, or what chance makes of it in a fleet so small. */
  readonly bound: number;
  /** Half of the drives that report it are at most at this; null when none reports it. */
  readonly medianBefore: number | null;
  readonly median: number | null;
  /** Upper ends of all bins of values but the last. */
  readonly edges: readonly number[];
  /** Of the drives in each bin of values, and behind them of those that do not report it; about a tenth each before. */
  readonly sharesBefore: readonly number[];
  readonly shares: readonly number[];
}
