import type { Heat, MonthlyUse } from '@data-in-motion/shared/domain/heat';
import { hoursPerMonth } from '@data-in-motion/shared/domain/price';
import { windowRatePerHour } from './classify-heat.ts';

/** What is expected of a dataset in a month of 730 hours. */
export type ExpectedUse = MonthlyUse;

const nobody: ExpectedUse = { readsPerMonth: 0, readBytesPerMonth: 0 };

/**
 * What the coming month is decided by: what was counted in the past, and what the windows forecast, each with its weight.
 *
 *     expected = (1 − forecastShare) · past + forecastShare · forecast
 *
 * Where too little of the past is known, the forecast alone.
 */
export function expectedUse(heat: Heat | undefined): ExpectedUse {
  const forecast = forecastOf(heat);
  const past = heat?.past;
  if (past === undefined) return forecast;
  const weighed = (of: keyof ExpectedUse): number => (1 - past.forecastShare) * past[of] + past.forecastShare * forecast[of];
  return { readsPerMonth: weighed('readsPerMonth'), readBytesPerMonth: weighed('readBytesPerMonth') };
}

/**
 * The windows go on for a month, weighted as for the score; nothing of a dataset that was left alone until its score fell to 0.
 * Where the agent's moving average alone shows use (no counted reads), it is taken as reads of unknown size.
 */
export function forecastOf(heat: Heat | undefined): ExpectedUse {
  if (heat === undefined || heat.score === 0) return nobody;
  const readsPerHour = windowRatePerHour(heat.windows, (counts) => counts.reads);
  const bytesPerHour = windowRatePerHour(heat.windows, (counts) => counts.readBytes);
  const anyCounted = heat.windows.some((counts) => counts.reads + counts.writes > 0);
  return { readsPerMonth: (anyCounted ? readsPerHour : heat.ewmaPerHour) * hoursPerMonth, readBytesPerMonth: bytesPerHour * hoursPerMonth };
}
