import type { ScarceResource } from '../fleet/snapshot.ts';
import type { ValuedRows } from './valued-rows.ts';

/**
 * Where every copy of every dataset shall be, as numbers: what both solvers read. Dollars are a month's, what is paid once is spread over the horizon.
 * Rows are datasets, columns are targets. What a copy costs is computed from terms of its row and its column, since a matrix of a million rows would not fit:
 *
 *     copy(row, column)    = max(bytes, objects · minimumObjectBytes) · holdPerByte + atStake · lost
 *                            + bytes · arrivePerByte + objects · arrivePerObject + arrive − credit
 *                            (what is special to row and column, or else that of the column's home, where the row has one)
 *     primary(row, column) = the same with its own credit + readBytes · readPerByte + requests · perRequest
 *     left out             = missing, for each wanted copy
 *
 *     minimise   Σ cost of the wanted copies, one of which is the primary where `hasPrimary` says so
 *     subject to each copy of a row in a column of its rule, the primary in one of those that may serve readers, no two in one failure domain
 *                Σ bytes of the copies that come to a column ≤ its room; what stays where it is needs none
 *                Σ read bytes, and Σ requests, of the primaries in a column ≤ what it can serve
 */
export interface Assignment {
  readonly datasets: AssignedDatasets;
  readonly targets: AssignedTargets;
  readonly rules: readonly PlaceRule[];
}

/** One entry a dataset, but for the specials. */
export interface AssignedDatasets {
  readonly count: number;
  /** Whole bytes of one copy. */
  readonly bytes: Float64Array;
  readonly objects: Float64Array;
  /** What readers fetch from the primary in a month. */
  readonly readBytes: Float64Array;
  readonly requests: Float64Array;
  /** Dollars that losing one copy costs. */
  readonly atStake: Float64Array;
  /** Wanted, the primary included. */
  readonly copies: Uint8Array;
  /** 1 where the first of them is the primary, 0 where the primary is no part of the question. */
  readonly hasPrimary: Uint8Array;
  /** Which of `rules` says where the copies may be. */
  readonly rule: Uint16Array;
  /** Dollars for every copy that comes, wherever to: what reading it costs where it is read. */
  readonly arrive: Float64Array;
  /** Weighed against every saving, so well above what any place costs: a copy is left out only where no other answer holds. */
  readonly missing: Float64Array;
  /** Row r has what is near it at nearFrom[r] to nearFrom[r + 1]: homes that a copy comes to for less, since one that can be read is there; all different. */
  readonly nearFrom: Int32Array;
  readonly nearHome: Int16Array;
  /** Dollars less for a copy at such a home. */
  readonly nearCredit: Float64Array;
  /** Row r has the specials specialsFrom[r] to specialsFrom[r + 1]: columns that are not to it as they are to others, all different. */
  readonly specialsFrom: Int32Array;
  readonly specialColumn: Int16Array;
  /** Dollars less for a copy there, whatever is near; −Infinity: not there. */
  readonly copyCredit: Float64Array;
  /** The same for the primary. */
  readonly primaryCredit: Float64Array;
  /** 1: a copy is there already. */
  readonly stays: Uint8Array;
}

/** One entry a target. */
export interface AssignedTargets {
  readonly count: number;
  /** Bytes between columns of one home leave neither site nor provider. */
  readonly home: Int16Array;
  /** Bytes that may still come. */
  readonly roomBytes: Float64Array;
  /** Bytes and requests a month that primaries may be read with; Infinity where no limit is known. */
  readonly readBytesLimit: Float64Array;
  readonly requestsLimit: Float64Array;
  readonly holdPerByte: Float64Array;
  /** The probability of losing a copy in a month. */
  readonly lost: Float64Array;
  /** Every object is billed at least as large. */
  readonly minimumObjectBytes: Float64Array;
  readonly arrivePerByte: Float64Array;
  readonly arrivePerObject: Float64Array;
  readonly readPerByte: Float64Array;
  readonly perRequest: Float64Array;
}

/** Datasets with the same latency, residency and encryption share one: the columns that fit, and the domain of each at the level their policy spreads over. */
export interface PlaceRule {
  readonly columns: Int32Array;
  /** Alongside `columns`. */
  readonly domains: Int32Array;
  /** 1 where the primary may be too. */
  readonly serves: Uint8Array;
}

/** The last word is for a copy that its rule leaves places for, none of which had room beside the others. */
export type MissingBecause = 'no allowed target' | 'larger than every allowed target' | 'too few failure domains' | 'capacity';

export interface MissingCopies {
  readonly row: number;
  readonly copies: number;
  readonly because: MissingBecause;
}

/** What a target can run out of, in the order of `prices`. */
export const resources = ['bytes', 'readBytes', 'requests'] as const satisfies readonly ScarceResource[];

export interface FullTarget {
  readonly column: number;
  readonly resource: ScarceResource;
  /** What one more byte, read byte or request a month here would save, dollars a month, at the margin. */
  readonly dollarsPerUnit: number;
}

/** What a later solve of nearly the same problem starts from. */
export interface PricedState {
  readonly problem: Assignment;
  /** At the prices of the answer. */
  readonly valued: ValuedRows;
}

export interface Placement {
  /** `width` entries a dataset, the primary first where the row has one; those beyond its copies and those left out are −1. */
  readonly places: Int16Array;
  readonly width: number;
  /** With what the missing copies cost. */
  readonly objective: number;
  /** No answer to the problem costs less. */
  readonly lowerBound: number;
  /** (objective − lowerBound) / objective; 0 for an objective of 0. */
  readonly gap: number;
  readonly missing: readonly MissingCopies[];
  readonly stopped: 'done' | 'deadline';
}

export interface PricedPlacement extends Placement {
  /** Dollars for a unit of each resource at each target, resource after resource, at least 0: the certificate of `lowerBound`. */
  readonly prices: Float64Array;
  readonly full: readonly FullTarget[];
  readonly state: PricedState;
}
