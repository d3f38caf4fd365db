import type { Acknowledgement } from '@data-in-motion/shared/domain/acknowledgement';
import { amount } from '@data-in-motion/shared/domain/amount';
import type { Assessment, AssessmentReason, RiskLevel } from '@data-in-motion/shared/domain/assessment';
import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { DeviceIdentity, Reading } from '@data-in-motion/shared/domain/device';
import type { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { withoutAcknowledged } from './acknowledged.ts';
import { deviceFeatures, type Features, lifeAtMs, timesTaken } from './features.ts';
import { judgeAttributes, type Verdict } from './judge-attributes.ts';
import { canJudge, judgeByModel } from './judge-by-model.ts';
import { judgeNvme, worst } from './judge-nvme.ts';
import { failureProbability, horizonDays } from './probability.ts';

const dayMs = 86_400_000;
/** After this long without any word from the device its last values say little; a sleeping disk says a word. */
const staleAfterMs = 2 * dayMs;
/** Values older than this judge nothing, whatever the device said since. */
const tooOldMs = 30 * dayMs;
/** One missed answer is a busy bus; so many in a row are a device that is gone. */
const unansweredUntilGone = 3;

const rules = {
  attributes: { kind: 'rule', name: 'five-attributes', version: '1' },
  healthLog: { kind: 'rule', name: 'nvme-health-log', version: '1' },
} as const;

/** What is known beside the readings. */
export interface JudgedBy {
  /** For its kind, maker and capacity; null: only the rules can judge. */
  readonly device: DeviceIdentity | null;
  /** A learned model for hard drives; null: there is none. */
  readonly model: FailureJudge | null;
  /** Counters that a person takes for harmless: judged is what came since. Absent or null: none. */
  readonly acknowledged?: Acknowledgement | null;
}

/**
 * Judge one device from what it reported: a hard drive by the learned model where there is one whose questions this build can answer, otherwise by the
 * published any-of-five rule with its trend; SATA SSDs by that rule, NVMe by the rule on its health log; each with the drive's own verdict.
 * Levels follow the newest values and the last weeks only, so a device recovers when its signs go.
 * A device that stops answering keeps its risk if it had one (then it most likely died) and is `unknown` otherwise.
 *
 * @param readings of one device, in the order in which they were taken; none at all is `unknown`
 * @param nowMs milliseconds since the epoch, on the clock that gave the readings their `atMs`
 */
export function assessDevice(readings: readonly Reading[], nowMs: number, by: JudgedBy = { device: null, model: null }): Assessment {
  const judged = withoutAcknowledged(readings, by.acknowledged ?? null);
  const features = deviceFeatures(judged.readings, judged.takenOff);
  const { newest, last } = features;
  const verdict = last === null ? null : verdictOf(features, judged.readings, by);
  const conclude = (level: RiskLevel, reasons: readonly AssessmentReason[]): Assessment => ({
    deviceId: newest?.deviceId ?? ('' as DeviceId),
    atMs: newest?.atMs ?? nowMs,
    recordedDay: newest?.recordedDay ?? null,
    level,
    ...probabilities(level, verdict, familyOf(last, by.device)),
    horizonDays,
    judge: verdict?.judge ?? rules.attributes,
    reasons: reasons.slice(0, 40),
  });

  if (newest === null) return conclude('unknown', [reason('The device was never read', 'reading', null)]);
  if (verdict === null) return conclude('unknown', [silence(newest)]);

  const silent = silentBecause(features, nowMs);
  if (silent === null) return conclude(verdict.level, verdict.reasons);
  if (silent.gone && isRisky(verdict.level)) return conclude('failing', [silent.reason, ...verdict.reasons]);
  if (silent.gone) return conclude('unknown', [silent.reason, ...verdict.reasons]);
  if (silent.tooOld && !isRisky(verdict.level)) return conclude('unknown', [silent.reason, ...verdict.reasons]);
  return conclude(verdict.level, [silent.reason, ...verdict.reasons]);
}

interface JudgedVerdict extends Verdict {
  readonly judge: Assessment['judge'];
  /** What a model says, and the level that stands for it; null when a rule judged. */
  readonly score: { readonly p7: number; readonly p30: number; readonly level: RiskLevel } | null;
}

/** What the newest values say, whether or not they are still fresh. */
function verdictOf(features: Features, readings: readonly Reading[], by: JudgedBy): JudgedVerdict {
  const last = features.last!;
  const byValues = valuesVerdict(features, readings, by);
  // An NVMe drive's verdict is only "some critical-warning bit is set", and the bits are judged one by one.
  const bitsSay = last.nvme !== null && (last.nvme.criticalWarning ?? 0) > 0;
  if (last.selfAssessmentPassed === false && !bitsSay) {
    return { ...byValues, level: 'failing', reasons: [reason('The drive itself says that it is failing', 'self-assessment', 0), ...byValues.reasons] };
  }
  if (byValues.level === 'unknown' && last.selfAssessmentPassed === true) {
    return {
      ...byValues,
      level: worst([byValues.level, 'healthy']),
      reasons: [reason('The drive says that it is well; nothing else of it can be judged', 'self-assessment', 1)],
    };
  }
  return byValues;
}

function valuesVerdict(features: Features, readings: readonly Reading[], { device, model }: JudgedBy): JudgedVerdict {
  const last = features.last!;
  if (last.nvme !== null)
    return { ...judgeNvme(last.nvme, mediaErrors30DaysBefore(last, readings), features.acknowledgedMediaErrors), judge: rules.healthLog, score: null };
  const learned = device !== null && model !== null && canJudge(model, device) ? judgeByModel(features, device, model) : null;
  if (learned === null || model === null) return { ...judgeAttributes(features), judge: rules.attributes, score: null };
  const { level, reasons, p7, p30 } = learned;
  return { level, reasons, judge: { kind: 'model', name: model.model.name, version: model.model.version }, score: { p7, p30, level } };
}

/**
 * A model's own probabilities, as long as its level stands. Where the drive's own verdict or its silence said more than the counters, which
 * a model can not know of, at least the share measured for that level counts, and nothing is known of the next 7 days.
 */
function probabilities(
  level: RiskLevel,
  verdict: JudgedVerdict | null,
  family: 'disk' | 'solid-state',
): { readonly probability: number | null; readonly probability7: number | null } {
  const measured = failureProbability(level, family);
  const score = verdict?.score ?? null;
  if (measured === null || score === null) return { probability: measured, probability7: null };
  if (score.level === level) return { probability: score.p30, probability7: score.p7 };
  return { probability: Math.max(measured, score.p30), probability7: null };
}

function familyOf(last: Reading | null, device: DeviceIdentity | null): 'disk' | 'solid-state' {
  return last?.nvme != null || (device !== null && device.kind !== 'hdd') ? 'solid-state' : 'disk';
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
  return `${amount(Math.floor(ms / dayMs))} days`;
}

function reason(text: string, attribute: string, value: number | null): AssessmentReason {
  return { text, attribute, value };
}
