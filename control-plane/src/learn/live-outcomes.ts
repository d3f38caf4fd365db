/** What a version said of a drive over a stretch of at most 30 days; days since 1970-01-01. */
export interface ScoredPeriod {
  readonly version: string;
  readonly deviceId: string;
  readonly firstDay: number;
  readonly lastDay: number;
  /** Days on which it called the drive at risk or failing; null: on none. */
  readonly firstAlarmDay: number | null;
  readonly lastAlarmDay: number | null;
}

/** A drive that is gone, and since which day. */
export interface GoneDrive {
  readonly deviceId: string;
  readonly outcome: 'failed' | 'removed';
  readonly day: number;
}

/** How a version did on this fleet. A decision is a drive-month: a stretch of 30 days in which it scored a drive. */
export interface LiveOutcome {
  readonly version: string;
  /** Drive-months of which it is known whether a failure followed within 30 days. */
  readonly decisions: number;
  /** Drive-months of which that is not known yet, or never will be, because the drive was removed. */
  readonly undecided: number;
  /** Drives that failed within 30 days after it scored them. */
  readonly failures: number;
  /** Drive-months with an alarm, and those of them that a failure followed within 30 days. */
  readonly alarms: number;
  readonly trueAlarms: number;
  /** Failures with an alarm in the 30 days before. */
  readonly found: number;
  /** Null where nothing can be divided by. */
  readonly precision: number | null;
  readonly recall: number | null;
  /** Share of drive-months that a failure followed: what a judge who alarms blindly is right in. */
  readonly baseRate: number | null;
  /** Days from the first alarm of a drive that was found to its failure: the median. */
  readonly leadDays: number | null;
  readonly falseAlarmsPer1000Months: number | null;
  /** In words, for a person. */
  readonly says: string;
}

const horizonDays = 30;
/** With fewer failures a share of them says nothing. */
const leastFailures = 5;

/**
 * How each version did, from what it said and what became of the drives; in the order in which the versions come.
 * The future is not known: a stretch counts once its 30 days are over, or the drive failed.
 *
 * @param gone drives that are not named work
 */
export function liveOutcomes(periods: readonly ScoredPeriod[], gone: readonly GoneDrive[], today: number): LiveOutcome[] {
  const goneOf = new Map(gone.map((drive) => [drive.deviceId, drive]));
  return [...Map.groupBy(periods, (period) => period.version)].map(([version, mine]) => outcomeOf(version, mine, goneOf, today));
}

function outcomeOf(version: string, periods: readonly ScoredPeriod[], goneOf: ReadonlyMap<string, GoneDrive>, today: number): LiveOutcome {
  const failedDrives = new Set<string>();
  const firstAlarm = new Map<string, number>();
  const foundDrives = new Map<string, number>();
  let [decisions, undecided, followed, alarms, trueAlarms] = [0, 0, 0, 0, 0];
  for (const { deviceId, firstDay, lastDay, firstAlarmDay, lastAlarmDay } of periods) {
    const end = goneOf.get(deviceId);
    if (end !== undefined && firstDay > end.day) continue;
    const failedDay = end?.outcome === 'failed' ? end.day : Number.POSITIVE_INFINITY;
    const isFollowed = failedDay - lastDay <= horizonDays;
    if (firstAlarmDay !== null) firstAlarm.set(deviceId, Math.min(firstAlarmDay, firstAlarm.get(deviceId) ?? firstAlarmDay));
    if (!isFollowed && (end?.outcome === 'removed' ? end.day : today) - lastDay < horizonDays) {
      undecided++;
      continue;
    }
    decisions++;
    if (isFollowed) {
      followed++;
      failedDrives.add(deviceId);
    }
    if (lastAlarmDay === null) continue;
    alarms++;
    if (failedDay - lastAlarmDay > horizonDays) continue;
    trueAlarms++;
    foundDrives.set(deviceId, failedDay);
  }
  const leads = [...foundDrives].map(([deviceId, day]) => day - firstAlarm.get(deviceId)!).sort((a, b) => a - b);
  const counts = { version, decisions, undecided, failures: failedDrives.size, alarms, trueAlarms, found: foundDrives.size };
  const leadDays = leads.length === 0 ? null : leads[Math.floor(leads.length / 2)]!;
  return {
    ...counts,
    precision: share(trueAlarms, alarms),
    recall: share(foundDrives.size, failedDrives.size),
    baseRate: share(followed, decisions),
    leadDays,
    falseAlarmsPer1000Months: decisions === 0 ? null : (1_000 * (alarms - trueAlarms)) / decisions,
    says: inWords(counts, leadDays),
  };
}

function share(of: number, among: number): number | null {
  return among === 0 ? null : of / among;
}

function inWords({ failures, found, alarms, trueAlarms }: Pick<LiveOutcome, 'failures' | 'found' | 'alarms' | 'trueAlarms'>, leadDays: number | null): string {
  if (failures < leastFailures) return `too few failures to say: ${failures} of at least ${leastFailures}`;
  const lead = leadDays === null ? '' : `, in the median ${leadDays} days ahead`;
  return `foresaw ${found} of ${failures} failures${lead}; ${trueAlarms} of ${alarms} alarms were followed by one within ${horizonDays} days`;
}
