import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';

export const horizonDays = 30;

/**
 * Share of drives that failed within 30 days after this rule gave them the level: 586,527 monthly decisions over 48,146 drives of Backblaze's
 * history from 2014-05 to 2015-12, 1,857 failures, every drive alive at the true base rate. As a warning, `at-risk` and `failing` together found
 * 43 % of the failures at 0.94 % false alarms; 38 % failed with nothing to see, so a healthy drive is never a safe one.
 */
const measured: Readonly<Record<Exclude<RiskLevel, 'unknown'>, number>> = { healthy: 0.0013, watch: 0.0096, 'at-risk': 0.121, failing: 0.455 };
const measuredBaseRate = 0.00317;

/**
 * Drives of that history failed more often (3.8 % a year, one bad model among them) than drives do now, so the shares are moved to the base rate
 * of today's: annual failure rates as Backblaze published them, hard drives in 2024 and solid-state drives up to mid-2023.
 * Levels of solid-state drives come from other signs, or from the same counters of another technique; that they tell as much is an assumption.
 */
const annualFailureRate = { disk: 0.0157, 'solid-state': 0.009 } as const;

/**
 * An honest but coarse probability that a device fails within `horizonDays`, two significant digits.
 *
 * @returns above 0 and below 1; null for `unknown`
 */
export function failureProbability(level: RiskLevel, family: keyof typeof annualFailureRate): number | null {
  if (level === 'unknown') return null;
  const baseRate = 1 - (1 - annualFailureRate[family]) ** (horizonDays / 365);
  const shifted = odds(measured[level]) * (odds(baseRate) / odds(measuredBaseRate));
  return twoDigits(shifted / (1 + shifted));
}

/** More digits than two would claim to know what nobody does, and tell every small step as news. */
export function twoDigits(probability: number): number {
  return Number(probability.toPrecision(2));
}

function odds(probability: number): number {
  return probability / (1 - probability);
}
