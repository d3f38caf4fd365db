import type { DriveHistory } from '@data-in-motion/shared/domain/drive-history';
import type { DriveMaker } from '@data-in-motion/shared/domain/drive-makers';

/** The recorded life of one hard drive. `lastDay` and `failed` are what is to be foretold: no feature may look at them. */
export interface RecordedDrive {
  readonly driveId: string;
  readonly model: string;
  readonly maker: DriveMaker;
  readonly capacityBytes: number;
  readonly history: DriveHistory;
  /** Days since 1970-01-01, fractions allowed; the first day on which it was seen. */
  readonly firstDay: number;
  /** The last day on which it was seen. */
  readonly lastDay: number;
  /** It failed on its last day; otherwise it was only not watched any longer. */
  readonly failed: boolean;
}

const dayMs = 86_400_000;

/** The first of every month from one day to before another, as day numbers. */
export function monthStarts(fromDay: number, toDay: number): number[] {
  const starts: number[] = [];
  const date = new Date(fromDay * dayMs);
  let [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (date.getUTCDate() > 1) month++;
  for (let day = Date.UTC(year, month) / dayMs; day < toDay; day = Date.UTC(year, ++month) / dayMs) starts.push(day);
  return starts;
}
