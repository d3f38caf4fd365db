import { amount } from '@data-in-motion/shared/domain/amount';
import type { AssessmentReason } from '@data-in-motion/shared/domain/assessment';
import { smartName } from '@data-in-motion/shared/domain/smart-attributes';
import type { Trend } from './features.ts';

/** A counter above zero and what it did lately: "24 pending sectors, 12 of them acknowledged, up by 8 within 7 days". The value is what the drive reported. */
export function signReason(sign: Trend, watchedDays: number): AssessmentReason {
  const value = sign.value + sign.acknowledged;
  const acknowledged = sign.acknowledged > 0 ? `, ${amount(sign.acknowledged)} of them acknowledged` : '';
  return { text: `${counted(value, sign.attribute)}${acknowledged}, ${movement(sign, watchedDays)}`, attribute: `smart.${sign.attribute}`, value };
}

/** A counter of which nothing is left to judge. */
export function acknowledgedReason({ attribute, acknowledged }: Trend): AssessmentReason {
  return { text: `${counted(acknowledged, attribute)}, acknowledged`, attribute: `smart.${attribute}`, value: acknowledged };
}

/** A counter that came back to zero lately. */
export function goneReason(trend: Trend): AssessmentReason {
  return {
    text: `No ${smartName(trend.attribute)} any more, ${amount(-trend.change30Days)} ${trend.change30Days === -1 ? 'was' : 'were'} there within the last 30 days`,
    attribute: `smart.${trend.attribute}`,
    value: 0,
  };
}

function movement(sign: Trend, watchedDays: number): string {
  if (sign.change7Days > 0) return `up by ${amount(sign.change7Days)} within 7 days`;
  if (sign.change30Days > 0) return `up by ${amount(sign.change30Days)} within 30 days`;
  if (sign.change7Days < 0) return `down by ${amount(-sign.change7Days)} within 7 days`;
  if (watchedDays < 1) return 'with no earlier day to compare with';
  const days = Math.floor(sign.roseDaysAgo ?? watchedDays);
  return `unchanged for ${amount(days)} ${days === 1 ? 'day' : 'days'}`;
}

/** Every counter that is judged has a name in the plural. */
function counted(value: number, attribute: number): string {
  const name = smartName(attribute);
  return `${amount(value)} ${value === 1 ? name.replace(/s$/, '') : name}`;
}
