import type { AssessmentReason, RiskLevel } from '@data-in-motion/shared/domain/assessment';
import type { NvmeHealth } from '@data-in-motion/shared/domain/device';
import type { Verdict } from './judge-attributes.ts';

/** Critical-warning bits of log page 02h (NVM Express Base Specification 2.0, figure 207) and what each means for the data. */
const warningBits: readonly { readonly bit: number; readonly level: RiskLevel; readonly text: string }[] = [
  { bit: 0, level: 'failing', text: 'the spare blocks are below their threshold' },
  { bit: 1, level: 'watch', text: 'the temperature is outside its limits' },
  { bit: 2, level: 'failing', text: 'reliability is degraded by media or internal errors' },
  { bit: 3, level: 'failing', text: 'the media is read-only' },
  { bit: 4, level: 'at-risk', text: 'the backup of its volatile memory failed: a power cut may lose writes' },
  { bit: 5, level: 'watch', text: 'its persistent memory region is unreliable' },
];

/** Rated endurance used: from here on a person should plan, and from here on the maker promises nothing. */
const wearToWatchPercent = 90;
const wearBeyondRatingPercent = 120;
/** A handful of media errors is a sign, this many is damage. */
const mediaErrorsAtRisk = 100;

/**
 * Judge an NVMe drive by its health log; what it does not report is not held against it.
 *
 * @param earlierMediaErrors media errors about 30 days before, null when there is no earlier reading
 * @param acknowledged media errors that a person takes for harmless; they are in neither of the two counts
 */
export function judgeNvme(health: NvmeHealth, earlierMediaErrors: number | null, acknowledged = 0): Verdict {
  const found: { level: RiskLevel; reason: AssessmentReason }[] = [];
  const add = (level: RiskLevel, attribute: string, value: number, text: string): void => {
    found.push({ level, reason: { text, attribute: `nvme.${attribute}`, value } });
  };
  const known = (value: number | null): value is number => value !== null && Number.isFinite(value);
  const { criticalWarning, availableSparePercent: spare, availableSpareThresholdPercent: threshold, percentageUsed: used, mediaErrors } = health;

  if (known(criticalWarning)) {
    for (const { bit, level, text } of warningBits)
      if (hasBit(criticalWarning, bit)) add(level, 'criticalWarning', criticalWarning, `Critical warning: ${text}`);
    if (criticalWarning > 0x3f)
      add('watch', 'criticalWarning', criticalWarning, `Critical warning with bits the specification keeps for later: ${criticalWarning}`);
  }
  // A threshold of 0 is how drives without spare blocks (Optane) say that there is none.
  if (known(spare) && known(threshold) && threshold > 0) {
    if (spare < threshold) add('failing', 'availableSparePercent', spare, `${spare} % spare blocks left, below the drive's threshold of ${threshold} %`);
    else if (spare <= threshold + 10) add('at-risk', 'availableSparePercent', spare, `${spare} % spare blocks left, the threshold is ${threshold} %`);
    else if (spare < 50) add('watch', 'availableSparePercent', spare, `${spare} % spare blocks left`);
  }
  if (known(used)) {
    if (used >= wearBeyondRatingPercent) add('at-risk', 'percentageUsed', used, `${used} % of the rated endurance used`);
    else if (used >= wearToWatchPercent) add('watch', 'percentageUsed', used, `${used} % of the rated endurance used`);
  }
  if (known(mediaErrors) && mediaErrors > 0) {
    const rise = known(earlierMediaErrors) ? mediaErrors - earlierMediaErrors : 0;
    const level = rise > 0 || mediaErrors >= mediaErrorsAtRisk ? 'at-risk' : 'watch';
    const harmless = acknowledged > 0 ? `, ${acknowledged} of them acknowledged` : '';
    add(level, 'mediaErrors', mediaErrors + acknowledged, `${mediaErrors + acknowledged} media errors${harmless}${rise > 0 ? `, ${rise} within 30 days` : ''}`);
  }

  if (found.length > 0) return { level: worst(found.map((entry) => entry.level)), reasons: found.map((entry) => entry.reason) };
  if (![criticalWarning, spare, used, mediaErrors].some(known)) {
    return { level: 'unknown', reasons: [{ text: 'The drive shows no health log', attribute: 'nvme', value: null }] };
  }
  const seen = [
    known(spare) ? `${spare} % spare` : '',
    known(used) ? `${used} % of the rated endurance used` : '',
    acknowledged > 0 ? `${acknowledged} media errors, acknowledged` : '',
  ].filter((part) => part !== '');
  return {
    level: 'healthy',
    reasons: [{ text: ['No warning', ...seen].join(', '), attribute: 'nvme.criticalWarning', value: known(criticalWarning) ? criticalWarning : null }],
  };
}

const order: readonly RiskLevel[] = ['unknown', 'healthy', 'watch', 'at-risk', 'failing'];

/** The most serious of several levels; `unknown` gives way to any other. */
export function worst(levels: readonly RiskLevel[]): RiskLevel {
  return order[Math.max(0, ...levels.map((level) => order.indexOf(level)))]!;
}

function hasBit(value: number, bit: number): boolean {
  return Math.floor(value / 2 ** bit) % 2 === 1;
}
