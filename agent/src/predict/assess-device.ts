import type { Assessment, AssessmentReason, RiskLevel } from '@data-in-motion/shared/domain/assessment';
import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { Reading } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { deviceFeatures, type Features, lifeAtMs, timesTaken } from './features.ts';
import { judgeAttributes, type Verdict } from './judge-attributes.ts';
import { judgeNvme, worst } from './judge-nvme.ts';
import { failureProbability, horizonDays } from './probability.ts';

const dayMs = 86_400_000;
/** After this long without any word from the device its last values say little; a sleeping disk says a word. */
const staleAfterMs = 2 * dayMs;
/** Values older than this judge nothing, whatever the device said since. */
const tooOldMs = 30 * dayMs;
/** One missed answer is a busy bus; so many in a row are a device that is gone. */
const unansweredUntilGone = 3;

const judge = { kind: 'rule', name: 'five-attributes', version: '1' } as const;

/**
 * Judge one device from what it reported: the published any-of-five rule with its trend, the health log of NVMe, the drive's own verdict.
 * Levels follow the newest values and the last weeks only, so a device recovers when its signs go.
 * A device that stops answering keeps its risk if it had one (then it most likely died) and is `unknown` otherwise.
 *
 * @param readings of one device, in the order in which they were taken; none at all is `unknown`
 * @param nowMs milliseconds since the epoch, on the clock that gave the readings their `atMs`
 */
export function assessDevice(readings: readonly Reading[], nowMs: number): Assessment {
  const features = deviceFeatures(readings);
  const { newest, last } = features;
  const conclude = (level: RiskLevel, reasons: readonly AssessmentReason[]): Assessment => ({
    deviceId: newest?.deviceId ?? ('' as DeviceId),
    atMs: newest?.atMs ?? nowMs,
    recordedDay: newest?.recordedDay ?? null,
    level,
    probability: failureProbability(level, last?.nvme != null ? 'nvme' : 'ata'),
    horizonDays,
    judge,
    reasons: reasons.slice(0, 40),
  });

  if (newest === null) return conclude('unknown', [reason('The device was never read', 'reading', null)]);
  if (last === null) return conclude('unknown', [silence(newest)]);

  const verdict = verdictOf(features, readings);
  const silent = silentBecause(features, nowMs);
  if (silent === null) return conclude(verdict.level, verdict.reasons);
  if (silent.gone && isRisky(verdict.level)) return conclude('failing', [silent.reason, ...verdict.reasons]);
  if (silent.gone) return conclude('unknown', [silent.reason, ...verdict.reasons]);
  if (silent.tooOld && !isRisky(verdict.level)) return conclude('unknown', [silent.reason, ...verdict.reasons]);
  return conclude(verdict.level, [silent.reason, ...verdict.reasons]);
}

/** What the newest values say, whether or not they are still fresh. */
function verdictOf(features: Features, readings: readonly Reading[]): Verdict {
  const last = features.last!;
  const byValues = last.nvme === null ? judgeAttributes(features) : judgeNvme(last.nvme, mediaErrors30DaysBefore(last, readings));
  // An NVMe drive's verdict is only "some critical-warning bit is set", and the bits are judged one by one.
  const bitsSay = last.nvme !== null && (last.nvme.criticalWarning ?? 0) > 0;
  if (last.selfAssessmentPassed === false && !bitsSay) {
    return { level: 'failing', reasons: [reason('The drive itself says that it is failing', 'self-assessment', 0), ...byValues.reasons] };
  }
  if (byValues.level === 'unknown' && last.selfAssessmentPassed === true) {
    return {
      level: worst([byValues.level, 'healthy']),
      reasons: [reason('The drive says that it is well; nothing else of it can be judged', 'self-assessment', 1)],
    };
  }
  return byValues;
}

function mediaErrors30DaysBefore(last: Reading, readings: readonly Reading[]): number | null {
  const own = readings.filter((reading) => reading.deviceId === last.deviceId && Number.isFinite(lifeAtMs(reading)));
  const times = timesTaken(own);
  const fromMs = times.get(last)! - 30 * dayMs;
  const oldest = own.find((reading) => reading !== last && reading.nvme?.mediaErrors != null && times.get(reading)! >= fromMs);
  return oldest?.nvme?.mediaErrors ?? null;
}

/** Why the newest values may not hold any more; null when they are fresh. */
function silentBecause(features: Features, nowMs: number): { reason: AssessmentReason; gone: boolean; tooOld: boolean } | null {
  const newest = features.newest!;
  const quietMs = nowMs - newest.atMs;
  const valuesAgeMs = quietMs + features.valuesAgeMs;
  if (quietMs > staleAfterMs) {
    return { reason: reason(`The newest reading is ${days(quietMs)} old`, 'reading', null), gone: false, tooOld: true };
  }
  if (newest.status === 'read') return null;
  return { reason: silence(newest), gone: features.unansweredInARow >= unansweredUntilGone, tooOld: valuesAgeMs > tooOldMs };
}

function silence(reading: Reading): AssessmentReason {
  if (reading.status === 'asleep') return reason('The disk sleeps and was not woken; judged by what it said before', 'reading', null);
  return reason(`The drive does not answer: ${reading.unreadableBecause ?? 'no reason given'}`, 'reading', null);
}

function days(ms: number): string {
  return `${Math.floor(ms / dayMs).toLocaleString('en-GB')} days`;
}

function reason(text: string, attribute: string, value: number | null): AssessmentReason {
  return { text, attribute, value };
}
