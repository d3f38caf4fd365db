import type { Heat } from '@data-in-motion/shared/domain/heat';
import { hoursPerMonth } from '@data-in-motion/shared/domain/price';
import { windowRatePerHour } from './classify-heat.ts';

/** What is expected of a dataset in a month of 730 hours. */
export interface ExpectedUse {
  readonly readsPerMonth: number;
  readonly readBytesPerMonth: number;
}

/**
 * Expect the coming month to be like the windows, weighted as for the score; nothing of a dataset that was left alone until its score fell to 0.
 * Where the agent's moving average alone shows use (no counted reads), it is taken as reads of unknown size.
 */
export function forecastUse(heat: Heat | undefined): ExpectedUse {
  if (heat === undefined || heat.score === 0) return { readsPerMonth: 0, readBytesPerMonth: 0 };
  const readsPerHour = windowRatePerHour(heat.windows, (counts) => counts.reads);
  const bytesPerHour = windowRatePerHour(heat.windows, (counts) => counts.readBytes);
  const anyCounted = heat.windows.some((counts) => counts.reads + counts.writes > 0);
  return { readsPerMonth: (anyCounted ? readsPerHour : heat.ewmaPerHour) * hoursPerMonth, readBytesPerMonth: bytesPerHour * hoursPerMonth };
}
