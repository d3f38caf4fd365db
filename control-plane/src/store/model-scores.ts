import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import type { Outcome } from '@data-in-motion/shared/domain/drive-outcome';
import type { DeviceId, ModelVersion } from '@data-in-motion/shared/domain/ids';
import { and, eq, gte, isNull, notInArray, or, type SQL, sql } from 'drizzle-orm';
import { type Db, rowsOf, type Tx } from './database.ts';
import { device, driveOutcome, modelScore } from './schema.ts';

export type ModelScoreRow = typeof modelScore.$inferSelect;

const dayMs = 86_400_000;
/** Longer ago than any feature looks back; what lies before only says when the drive was first seen. */
const lookBackMs = 400 * dayMs;

/** Hard drives that were read since, and of which it is not known that they are gone; sorted. */
export async function drivesToScore(db: Db, sinceMs: number): Promise<DeviceId[]> {
  const rows = await db
    .select({ deviceId: device.deviceId })
    .from(device)
    .leftJoin(driveOutcome, eq(driveOutcome.deviceId, device.deviceId))
    .where(
      and(
        eq(device.kind, 'hdd'),
        gte(device.lastReadingAtMs, sinceMs),
        or(isNull(driveOutcome.outcome), notInArray(driveOutcome.outcome, ['failed', 'removed'])),
      ),
    )
    .orderBy(device.deviceId);
  return rows.map((row) => row.deviceId);
}

interface DailyReading {
  readonly atMs: number;
  readonly recordedDay: string | null;
  readonly powerOnHours: number | null;
  readonly smart: Record<string, number>;
}

/** A drive with its last values of each day of its life, oldest first; undefined when it is not known any more. */
export async function driveWithReadings(db: Db, deviceId: DeviceId, nowMs: number) {
  const [row] = await db.select({ model: device.model, capacityBytes: device.capacityBytes }).from(device).where(eq(device.deviceId, deviceId));
  if (row === undefined) return undefined;
  const lifeDay = sql.raw(`coalesce(recorded_day, (at_ms / ${dayMs})::text)`);
  const readings = await rowsOf<DailyReading>(
    db,
    sql`select distinct on (${lifeDay}) at_ms as "atMs", recorded_day as "recordedDay", power_on_hours as "powerOnHours", smart
        from reading where device_id = ${deviceId} and status = 'read' and at_ms >= ${nowMs - lookBackMs}::bigint order by ${lifeDay}, at_ms desc`,
  );
  return { ...row, readings: readings.sort((a, b) => a.atMs - b.atMs) };
}

/** Keep what models say of drives; said again on the same day, the later word stands. */
export async function storeScores(tx: Tx, rows: readonly ModelScoreRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insert(modelScore)
    .values([...rows])
    .onConflictDoUpdate({
      target: [modelScore.version, modelScore.deviceId, modelScore.day],
      set: { p7: sql`excluded.p7`, p30: sql`excluded.p30`, level: sql`excluded.level` },
    });
}

const alarm = `level in ('at-risk', 'failing')`;
const isAlarm = sql.raw(alarm);

export interface ScoredPeriodRow {
  readonly version: string;
  readonly deviceId: string;
  readonly firstDay: number;
  readonly lastDay: number;
  readonly firstAlarmDay: number | null;
  readonly lastAlarmDay: number | null;
  readonly firstFailingDay: number | null;
  readonly lastFailingDay: number | null;
}

/** When a version, whose scores are called `of`, alarmed in a stretch. */
function alarmDays(of: 'a' | 'b', prefix = ''): SQL {
  const column = (aggregate: 'min' | 'max', levels: string, name: string): string => `${aggregate}(a.day) filter (where ${of}.${levels}) as "${prefix}${name}"`;
  return sql.raw(
    [
      column('min', alarm, 'firstAlarmDay'),
      column('max', alarm, 'lastAlarmDay'),
      column('min', `level = 'failing'`, 'firstFailingDay'),
      column('max', `level = 'failing'`, 'lastFailingDay'),
    ].join(', '),
  );
}

/** What each version said of each drive, in stretches of 30 days: sums, since of daily scores there are millions. */
export async function scoredPeriods(db: Db): Promise<ScoredPeriodRow[]> {
  return rowsOf(
    db,
    sql`select a.version, a.device_id as "deviceId", min(a.day) as "firstDay", max(a.day) as "lastDay", ${alarmDays('a')}
        from model_score a group by a.version, a.device_id, a.day / 30`,
  );
}

type Days = Omit<ScoredPeriodRow, 'version' | 'deviceId' | 'firstDay' | 'lastDay'>;
type SharedRow = Omit<ScoredPeriodRow, 'version'> & { readonly [Name in keyof Days as `other.${Name}`]: Days[Name] };

/** The same of two versions, from the days alone on which both scored the drive. Both from one pass: of large fleets it takes seconds. */
export async function sharedPeriods(db: Db, version: string, other: string): Promise<ScoredPeriodRow[]> {
  const rows = await rowsOf<SharedRow>(
    db,
    sql`select a.device_id as "deviceId", min(a.day) as "firstDay", max(a.day) as "lastDay", ${alarmDays('a')}, ${alarmDays('b', 'other.')}
        from model_score a join model_score b on b.version = ${other} and b.device_id = a.device_id and b.day = a.day
        where a.version = ${version} group by a.device_id, a.day / 30`,
  );
  return rows.flatMap(({ deviceId, firstDay, lastDay, firstAlarmDay, lastAlarmDay, firstFailingDay, lastFailingDay, ...ofOther }): ScoredPeriodRow[] => {
    const stretch = { deviceId, firstDay, lastDay };
    return [
      { version, ...stretch, firstAlarmDay, lastAlarmDay, firstFailingDay, lastFailingDay },
      {
        version: other,
        ...stretch,
        firstAlarmDay: ofOther['other.firstAlarmDay'],
        lastAlarmDay: ofOther['other.lastAlarmDay'],
        firstFailingDay: ofOther['other.firstFailingDay'],
        lastFailingDay: ofOther['other.lastFailingDay'],
      },
    ];
  });
}

export interface ScoredDriveRow {
  readonly deviceId: string;
  readonly nodeId: string;
  readonly serial: string;
  readonly model: string;
  readonly outcome: Outcome | null;
  readonly day: number;
  readonly p7: number;
  readonly p30: number;
  readonly level: RiskLevel;
  readonly otherP7: number;
  readonly otherP30: number;
  readonly otherLevel: RiskLevel;
}

/** Of each drive what two versions said on the last day on which both did, from a day on. */
export async function newestShared(db: Db, version: string, other: string, sinceDay: number): Promise<ScoredDriveRow[]> {
  return rowsOf(
    db,
    sql`select d.device_id as "deviceId", d.node_id as "nodeId", d.serial, d.model, o.outcome, s.*
        from device d cross join lateral (
            select a.day, a.p7, a.p30, a.level, b.p7 as "otherP7", b.p30 as "otherP30", b.level as "otherLevel"
            from model_score a join model_score b on b.version = ${other} and b.device_id = a.device_id and b.day = a.day
            where a.version = ${version} and a.device_id = d.device_id and a.day >= ${sinceDay} order by a.day desc limit 1) s
          left join drive_outcome o on o.device_id = d.device_id
        order by d.device_id`,
  );
}

export interface PairedScoreRow {
  readonly deviceId: string;
  readonly failed: boolean;
  /** The highest probability that each gave the drive, over the days on which both did. */
  readonly p30: number;
  readonly p30Before: number;
  readonly alarmed: boolean;
  readonly alarmedBefore: boolean;
}

/** What two versions said of the same drives on the same days: of each drive the last 30 days before it failed, was removed, or the present day. */
export async function pairedScores(db: Db, version: ModelVersion, before: ModelVersion, nowMs: number): Promise<PairedScoreRow[]> {
  const end = sql`case when o.outcome in ('failed', 'removed') then o.at_ms / ${dayMs}::bigint else ${Math.floor(nowMs / dayMs)}::bigint end`;
  return rowsOf(
    db,
    sql`select a.device_id as "deviceId", coalesce(o.outcome = 'failed', false) as failed, max(a.p30) as p30, max(b.p30) as "p30Before",
          bool_or(a.${isAlarm}) as alarmed, bool_or(b.${isAlarm}) as "alarmedBefore"
        from model_score a join model_score b on b.version = ${before} and b.device_id = a.device_id and b.day = a.day
          left join drive_outcome o on o.device_id = a.device_id
        where a.version = ${version} and a.day > ${end} - 30 and a.day <= ${end}
        group by a.device_id, o.outcome order by a.device_id`,
  );
}
