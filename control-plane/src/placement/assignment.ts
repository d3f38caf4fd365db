/**
 * Where every copy of every dataset shall be, as numbers: what the priced solver reads. Dollars are over the whole horizon, rows are datasets,
 * columns are targets. What a copy costs is computed from terms of its row and its column, since a matrix of a million rows would not fit:
 *
 *     cost(row, column) = bytes · (holdPerByte + arrivePerByte) + readBytes · readPerByte + requests · perRequest
 *                         − stayCredit, where the row holds a copy in that column already
 *     cost(row, nowhere) = missingPerCopy + bytes · missingPerByte, for each wanted copy that is left out
 *
 *     minimise   Σ cost of the wanted copies
 *     subject to each copy of a row in an allowed column of its rule, no two in one failure domain of its rule
 *                Σ bytes in one column ≤ its capacity
 */
export interface Assignment {
  readonly datasets: AssignedDatasets;
  readonly targets: AssignedTargets;
  readonly rules: readonly PlaceRule[];
  /** Weighed against every saving, so well above what any place costs: a copy is left out only where no other answer holds. */
  readonly missingPerCopy: number;
  readonly missingPerByte: number;
}

/** One entry a dataset, but for `held` and `stayCredit` with `heldWidth` each. */
export interface AssignedDatasets {
  readonly count: number;
  /** Whole bytes of one copy. */
  readonly bytes: Float64Array;
  /** Bytes that readers fetch from each copy over the horizon. */
  readonly readBytes: Float64Array;
  /** Requests to each copy over the horizon. */
  readonly requests: Float64Array;
  readonly copies: Uint8Array;
  /** Which of `rules` says where the copies may be. */
  readonly rule: Uint16Array;
  readonly heldWidth: number;
  /** Columns that hold a copy now, all different; −1 where there are fewer than `heldWidth`. */
  readonly held: Int16Array;
  /** Dollars saved where that copy stays: no transfer, no fee for leaving before a minimum of days. */
  readonly stayCredit: Float32Array;
}

/** One entry a target. */
export interface AssignedTargets {
  readonly count: number;
  readonly capacityBytes: Float64Array;
  readonly holdPerByte: Float64Array;
  readonly readPerByte: Float64Array;
  readonly perRequest: Float64Array;
  /** Egress, requests and the time of the link for a copy that comes here. */
  readonly arrivePerByte: Float64Array;
}

/** Datasets with the same latency, residency and encryption share one: the columns that fit, and the domain of each at the level their policy spreads over. */
export interface PlaceRule {
  readonly columns: Int32Array;
  /** Alongside `columns`. */
  readonly domains: Int32Array;
}

/** The last word is for a copy that its rule leaves places for, none of which had room beside the others. */
export type MissingBecause = 'no allowed target' | 'larger than every allowed target' | 'too few failure domains' | 'capacity';

export interface MissingCopies {
  readonly row: number;
  readonly copies: number;
  readonly because: MissingBecause;
}

export interface FullTarget {
  readonly column: number;
  /** What one more TB (10¹² bytes) here would save over the horizon, at the margin. */
  readonly dollarsPerTb: number;
}

export interface PricedPlacement {
  /** `width` entries a dataset, those beyond its copies and those left out are −1. */
  readonly places: Int16Array;
  readonly width: number;
  /** With what the missing copies cost. */
  readonly objective: number;
  /** No answer to the problem costs less. */
  readonly lowerBound: number;
  /** (objective − lowerBound) / objective; 0 for an objective of 0. */
  readonly gap: number;
  /** Dollars per byte, one a target, at least 0: the certificate of `lowerBound`, and what a later solve starts from. */
  readonly prices: Float64Array;
  readonly full: readonly FullTarget[];
  readonly missing: readonly MissingCopies[];
  readonly stopped: 'done' | 'deadline';
}
