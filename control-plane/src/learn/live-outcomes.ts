import { type Range, wilsonRange } from './wilson-range.ts';

/** What a version said of a drive over a stretch of at most 30 days; days since 1970-01-01. */
export interface ScoredPeriod {
  readonly version: string;
  readonly deviceId: string;
  readonly firstDay: number;
  readonly lastDay: number;
  /** Days on which it called the drive at risk or failing; null: on none. */
  readonly firstAlarmDay: number | null;
  readonly lastAlarmDay: number | null;
  /** Days on which it called it failing. */
  readonly firstFailingDay: number | null;
  readonly lastFailingDay: number | null;
}

/** A drive that is gone, and since which day. */
export interface GoneDrive {
  readonly deviceId: string;
  readonly outcome: 'failed' | 'removed';
  readonly day: number;
}

/** What the alarms from one level on were worth. Shares are null where nothing can be divided by. */
export interface AlarmOutcome {
  /** Drive-months with an alarm, and those of them that a failure followed within 30 days. */
  readonly alarms: number;
  readonly trueAlarms: number;
  /** Failures with an alarm in the 30 days before. */
  readonly found: number;
  readonly precision: number | null;
  readonly precisionRange: Range | null;
  readonly recall: number | null;
  readonly recallRange: Range | null;
  /** Days from the first alarm of a drive that was found to its failure: the median. */
  readonly leadDays: number | null;
  readonly falseAlarmsPer1000Months: number | null;
  readonly falseAlarmsRange: Range | null;
}

/** How a version did on this fleet; its own alarm figures are those from at risk on. A decision is a drive-month: a stretch of 30 days in which it scored a drive. */
export interface LiveOutcome extends AlarmOutcome {
  readonly version: string;
  /** Drive-months of which it is known whether a failure followed within 30 days. */
  readonly decisions: number;
  /** Drive-months of which that is not known yet, or never will be, because the drive was removed. */
  readonly undecided: number;
  /** Drives that failed within 30 days after it scored them. */
  readonly failures: number;
  /** Share of drive-months that a failure followed: what a judge who alarms blindly is right in. */
  readonly baseRate: number | null;
  readonly baseRateRange: Range | null;
  readonly failing: AlarmOutcome;
  /** Whether there are failures enough for their shares to say anything. */
  readonly telling: boolean;
  /** In words, for a person. */
  readonly says: string;
}

const horizonDays = 30;
/** With fewer failures a share of them says nothing. */
const leastFailures = 5;

/**
 * How each version did, from what it said and what became of the drives; in the order in which the versions come.
 * The future is not known: a stretch counts once its 30 days are over, or the drive failed.
 * A drive that is alarmed about month after month counts each time, so that ranges of shares of alarms are somewhat narrower than they should be.
 *
 * @param gone drives that are not named work
 */
export function liveOutcomes(periods: readonly ScoredPeriod[], gone: readonly GoneDrive[], today: number): LiveOutcome[] {
  const goneOf = new Map(gone.map((drive) => [drive.deviceId, drive]));
  return [...Map.groupBy(periods, (period) => period.version)].map(([version, mine]) => outcomeOf(version, mine, goneOf, today));
}

interface Stretch {
  readonly period: ScoredPeriod;
  /** Infinity of a drive that did not fail. */
  readonly failedDay: number;
  readonly isFollowed: boolean;
  readonly isDecided: boolean;
}

/** What came of a stretch; nothing of one that begins after the drive was gone. */
function stretchOf(period: ScoredPeriod, end: GoneDrive | undefined, today: number): Stretch[] {
  if (end !== undefined && period.firstDay > end.day) return [];
  const failedDay = end?.outcome === 'failed' ? end.day : Number.POSITIVE_INFINITY;
  const isFollowed = failedDay - period.lastDay <= horizonDays;
  const isOver = (end?.outcome === 'removed' ? end.day : today) - period.lastDay >= horizonDays;
  return [{ period, failedDay, isFollowed, isDecided: isFollowed || isOver }];
}

function outcomeOf(version: string, periods: readonly ScoredPeriod[], goneOf: ReadonlyMap<string, GoneDrive>, today: number): LiveOutcome {
  const stretches = periods.flatMap((period) => stretchOf(period, goneOf.get(period.deviceId), today));
  const decided = stretches.filter((stretch) => stretch.isDecided);
  const followed = decided.filter((stretch) => stretch.isFollowed);
  const failures = new Set(followed.map(({ period }) => period.deviceId)).size;
  const among = { stretches, decisions: decided.length, failures };
  const fromAtRisk = alarmOutcome(among, ({ firstAlarmDay, lastAlarmDay }) => ({ firstDay: firstAlarmDay, lastDay: lastAlarmDay }));
  return {
    version,
    decisions: decided.length,
    undecided: stretches.length - decided.length,
    failures,
    baseRate: share(followed.length, decided.length),
    baseRateRange: wilsonRange(followed.length, decided.length),
    ...fromAtRisk,
    failing: alarmOutcome(among, ({ firstFailingDay, lastFailingDay }) => ({ firstDay: firstFailingDay, lastDay: lastFailingDay })),
    telling: failures >= leastFailures,
    says: inWords(failures, fromAtRisk),
  };
}

type AlarmDays = (period: ScoredPeriod) => { readonly firstDay: number | null; readonly lastDay: number | null };

function alarmOutcome(
  { stretches, decisions, failures }: { stretches: readonly Stretch[]; decisions: number; failures: number },
  alarmDays: AlarmDays,
): AlarmOutcome {
  const firstAlarm = new Map<string, number>();
  const foundDrives = new Map<string, number>();
  let [alarms, trueAlarms] = [0, 0];
  for (const { period, failedDay, isDecided } of stretches) {
    const { firstDay, lastDay } = alarmDays(period);
    if (firstDay === null || lastDay === null) continue;
    firstAlarm.set(period.deviceId, Math.min(firstDay, firstAlarm.get(period.deviceId) ?? firstDay));
    if (!isDecided) continue;
    alarms++;
    if (failedDay - lastDay > horizonDays) continue;
    trueAlarms++;
    foundDrives.set(period.deviceId, failedDay);
  }
  const found = foundDrives.size;
  const leads = [...foundDrives].map(([deviceId, failedDay]) => failedDay - firstAlarm.get(deviceId)!).sort((a, b) => a - b);
  const falseAlarms = wilsonRange(alarms - trueAlarms, decisions);
  return {
    alarms,
    trueAlarms,
    found,
    precision: share(trueAlarms, alarms),
    precisionRange: wilsonRange(trueAlarms, alarms),
    recall: share(found, failures),
    recallRange: wilsonRange(found, failures),
    leadDays: leads.length === 0 ? null : leads[Math.floor(leads.length / 2)]!,
    falseAlarmsPer1000Months: decisions === 0 ? null : (1_000 * (alarms - trueAlarms)) / decisions,
    falseAlarmsRange: falseAlarms === null ? null : { low: 1_000 * falseAlarms.low, high: 1_000 * falseAlarms.high },
  };
}

function share(of: number, among: number): number | null {
  return among === 0 ? null : of / among;
}

function inWords(failures: number, { found, alarms, trueAlarms, leadDays }: AlarmOutcome): string {
  if (failures < leastFailures) return `too few failures to say: ${failures} of at least ${leastFailures}`;
  const lead = leadDays === null ? '' : `, in the median ${leadDays} days ahead`;
  return `foresaw ${found} of ${failures} failures${lead}; ${trueAlarms} of ${alarms} alarms were followed by one within ${horizonDays} days`;
}
