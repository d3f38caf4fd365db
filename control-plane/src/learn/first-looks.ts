import type { FirstLooks } from '@data-in-motion/shared/domain/feature-distribution';
import { distributionOf, type FeatureRows, leastDrives, withLooks } from './feature-distribution.ts';

/** A look a day over so many days: one day alone may be that of a few drives of a fleet that is still being put together. */
export const firstDays = 21;

/**
 * What is known of a model's first weeks on a fleet, with the look of one more day. The first look at enough drives sets the bins.
 *
 * @param rows a row per drive
 * @returns null as long as there were too few drives
 */
export function firstLooksWith(known: FirstLooks | null, day: number, rows: FeatureRows): FirstLooks | null {
  if (known === null) {
    const distribution = distributionOf(rows);
    return distribution === null ? null : { fromDay: day, toDay: day, distribution };
  }
  if (day <= known.toDay || day >= known.fromDay + firstDays || rows.length < leastDrives) return known;
  return { fromDay: known.fromDay, toDay: day, distribution: withLooks(known.distribution, rows) };
}
