import type { AssessmentReason, RiskLevel } from '@data-in-motion/shared/domain/assessment';
import { acknowledgedReason, goneReason, signReason } from './counter-words.ts';
import type { Features, JudgedAttribute, Trend } from './features.ts';

/** A sign is fresh for this long after the counter rose. Longer keeps drives that settled; shorter forgets drives that pause before they die. */
const freshDays = 14;

/**
 * Sectors or errors from which a counter alone is a risk although it stands still. Far above what a drive collects in a normal life:
 * of the drives of Backblaze's history that have any reallocated sector, most stay below 100 for years.
 */
const largeCount: Readonly<Record<JudgedAttribute, number>> = { 5: 1_000, 187: 100, 188: Number.POSITIVE_INFINITY, 197: 50, 198: 50 };

/** A rise within a week by at least this much, in two kinds of damage at once, is a drive that is dying now. */
const steepRise = 50;

/** Time-outs come from cables and controllers too; alone they count only when they keep coming. */
const timeoutsThatCount = { rises: 2, change7Days: 10 };

export interface Verdict {
  readonly level: RiskLevel;
  readonly reasons: readonly AssessmentReason[];
}

/**
 * The published rule on SMART 5, 187, 188, 197 and 198 ("any above zero", Backblaze 2016), weighed by what the counters do:
 * one that is old and still is `watch`; one that rises, many sectors, or pending sectors beside other damage is `at-risk`;
 * two kinds of damage that both rise steeply is `failing`. All zero is `healthy`. None reported is `unknown`.
 */
export function judgeAttributes(features: Features): Verdict {
  const { trends } = features;
  if (trends.length === 0) {
    return {
      level: 'unknown',
      reasons: [{ text: 'The drive reports none of SMART 5, 187, 188, 197, 198, so the rule has nothing to look at', attribute: 'smart', value: null }],
    };
  }
  const signs = trends.filter((trend) => trend.value > 0);
  const harmless = trends.filter((trend) => trend.value === 0 && trend.acknowledged > 0).map(acknowledgedReason);
  const gone = trends.filter((trend) => trend.value === 0 && trend.change30Days < 0).map(goneReason);
  if (signs.length > 0) return { level: levelOf(signs), reasons: [...signs.map((sign) => signReason(sign, features.watchedDays)), ...harmless, ...gone] };
  const zero = trends.filter((trend) => trend.acknowledged === 0).map((trend) => trend.attribute);
  const allZero: AssessmentReason = { text: `SMART ${zero.join(', ')} ${zero.length === 1 ? 'is' : 'are all'} zero`, attribute: 'smart', value: 0 };
  return { level: 'healthy', reasons: [...harmless, ...gone, ...(zero.length === 0 ? [] : [allZero])] };
}

function levelOf(signs: readonly Trend<JudgedAttribute>[]): RiskLevel {
  const rising = signs.filter(isRising);
  const steep = rising.filter((sign) => sign.attribute !== 188 && sign.change7Days >= steepRise);
  if (kindsOfDamage(steep) >= 2 || (kindsOfDamage(rising) >= 3 && steep.length > 0)) return 'failing';
  if (rising.length > 0) return 'at-risk';
  if (signs.some((sign) => sign.value >= largeCount[sign.attribute])) return 'at-risk';
  // 198 follows 197 on most drives, so the two are one sign; beside replaced sectors or failed reads they are a second one.
  const pending = signs.some((sign) => sign.attribute === 197);
  return pending && kindsOfDamage(signs.filter((sign) => sign.attribute !== 188)) >= 2 ? 'at-risk' : 'watch';
}

function isRising(sign: Trend<JudgedAttribute>): boolean {
  if (sign.roseDaysAgo === null || sign.roseDaysAgo > freshDays) return false;
  if (sign.attribute === 188) return sign.risesIn14Days >= timeoutsThatCount.rises && sign.change7Days >= timeoutsThatCount.change7Days;
  // Pending sectors that rose and fell again were rewritten or replaced; what was replaced shows in 5.
  return sign.attribute === 5 || sign.attribute === 187 || sign.change30Days > 0;
}

function kindsOfDamage(signs: readonly Trend<JudgedAttribute>[]): number {
  return new Set(signs.map((sign) => (sign.attribute === 198 ? 197 : sign.attribute))).size;
}
