import type { TierClass } from './target.ts';

/** Windows over which accesses are counted, shortest first. */
export const heatWindows = [
  { name: '1h', ms: 3_600_000 },
  { name: '6h', ms: 21_600_000 },
  { name: '24h', ms: 86_400_000 },
] as const;
export type HeatWindow = (typeof heatWindows)[number]['name'];

export interface WindowCounts {
  readonly window: HeatWindow;
  readonly reads: number;
  readonly writes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Reads, in a month of 730 hours. */
export interface MonthlyUse {
  readonly readsPerMonth: number;
  readonly readBytesPerMonth: number;
}

/** What was counted over so many days until now, as it would be in a month. */
export interface PastUse extends MonthlyUse {
  readonly days: number;
}

/** How much a dataset is used. */
export interface Heat {
  readonly class: TierClass;
  /** 0 (never touched) to 1. */
  readonly score: number;
  /** How sure the class is, 0 to 1: distance of the score from the nearest threshold. */
  readonly confidence: number;
  readonly decidedAtMs: number;
  readonly lastAccessAtMs: number | null;
  /** Exponentially weighted accesses per hour. */
  readonly ewmaPerHour: number;
  readonly windows: readonly WindowCounts[];
  /** Absent where less than a day of it is known, or nothing was counted. `forecastShare`: how much the windows weigh against it, 0 to 1. */
  readonly past?: PastUse & { readonly forecastShare: number };
  readonly reason: string;
}

/** One use of a dataset, or several of the same kind in one span. */
export interface Access {
  /** Given by the observer; the same id counts once. */
  readonly accessId: string;
  readonly datasetId: string;
  readonly kind: 'read' | 'write';
  readonly count: number;
  readonly bytes: number;
  readonly atMs: number;
  /** What the reader waited, null when not known. */
  readonly latencyMs: number | null;
  readonly source: 'bus' | 'api' | 'file-times' | 'synthetic';
}
