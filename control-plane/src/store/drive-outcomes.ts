import type { Outcome } from '@data-in-motion/shared/domain/drive-outcome';
import type { DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { eq, sql } from 'drizzle-orm';
import type { HeardDrive, NewOutcome } from '../health/drive-outcomes.ts';
import { type Db, rowsOf, type Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { device, driveOutcome } from './schema.ts';

export type DriveOutcomeRow = typeof driveOutcome.$inferSelect;

/** Of each drive when it answered last, for which the newest rows of a device are looked at and not the table; when it was risky only of those that do not answer. */
export async function heardDrives(db: Db): Promise<HeardDrive[]> {
  const rows = await rowsOf<Omit<HeardDrive, 'known' | 'othersAnsweredAtMs'> & { nodeId: NodeId }>(
    db,
    sql`select d.device_id as "deviceId", d.node_id as "nodeId", coalesce(d.last_status = 'unreadable', false) as "isUnreadable",
          answered.at_ms as "answeredAtMs", risky.at_ms as "riskyAtMs"
        from device d
          left join lateral (select received_at_ms as at_ms from reading r where r.device_id = d.device_id and r.status <> 'unreadable' order by r.at_ms desc limit 1) answered on true
          left join lateral (select at_ms from assessment a where d.last_status = 'unreadable' and a.device_id = d.device_id and a.level in ('at-risk', 'failing') order by a.at_ms desc limit 1) risky on true
        order by d.device_id`,
  );
  const onNode = Map.groupBy(rows, (row) => row.nodeId);
  const known = new Map((await readDriveOutcomes(db)).map((row) => [row.deviceId, row]));
  return rows.map(({ nodeId, ...row }) => ({
    ...row,
    othersAnsweredAtMs: latest(onNode.get(nodeId)!.flatMap((other) => (other.deviceId === row.deviceId ? [] : [other.answeredAtMs]))),
    known: known.get(row.deviceId) ?? null,
  }));
}

function latest(moments: readonly (number | null)[]): number | null {
  return moments.reduce((last, one) => (one === null || (last !== null && last > one) ? last : one), null);
}

export async function readDriveOutcomes(db: Db): Promise<DriveOutcomeRow[]> {
  return db.select().from(driveOutcome).orderBy(driveOutcome.deviceId);
}

/** Undefined: the drive is taken for alive. */
export async function driveOutcomeOf(db: Db, deviceId: DeviceId): Promise<DriveOutcomeRow | undefined> {
  const [row] = await db.select().from(driveOutcome).where(eq(driveOutcome.deviceId, deviceId));
  return row;
}

/** Write down what was concluded; what a person reported in between stands. */
export async function storeDriveOutcome(tx: Tx, nowMs: number, found: NewOutcome): Promise<void> {
  const { deviceId, outcome, how, atMs, text } = found;
  const facts = { outcome, how, atMs, by: 'control-plane', note: null };
  const stored = await tx
    .insert(driveOutcome)
    .values({ deviceId, ...facts })
    .onConflictDoUpdate({ target: driveOutcome.deviceId, set: facts, setWhere: sql`${driveOutcome.how} <> 'reported'` })
    .returning();
  if (stored.length === 0) return;
  const severity = outcome === 'failed' ? 'warning' : 'info';
  await appendEvents(tx, nowMs, [{ type: 'device.outcome', severity, text, ids: { deviceId, outcome }, by: 'control-plane' }]);
}

export interface ReportedOutcome {
  readonly deviceId: DeviceId;
  readonly outcome: Outcome;
  readonly by: string;
  readonly note: string | null;
}

const inWords: Readonly<Record<Outcome, string>> = { failed: 'it failed', removed: 'it was removed while it worked', alive: 'it works' };

/** A person says what became of a drive; that stands until a person says otherwise. @throws refused `device.not-found` */
export async function reportDriveOutcome(tx: Tx, nowMs: number, { deviceId, outcome, by, note }: ReportedOutcome): Promise<DriveOutcomeRow> {
  const [found] = await tx
    .select({ nodeId: device.nodeId, lastReadingAtMs: device.lastReadingAtMs })
    .from(device)
    .where(eq(device.deviceId, deviceId))
    .for('update');
  if (found === undefined)
    throw new Failure('refused', { code: 'device.not-found', message: `There is no device "${deviceId}".`, hint: 'dim devices lists them.' });
  const before = await driveOutcomeOf(tx, deviceId);
  // A death that was seen keeps its moment when a person confirms it.
  const atMs = before?.outcome === outcome ? before.atMs : outcome === 'alive' ? nowMs : (found.lastReadingAtMs ?? nowMs);
  const facts = { outcome, how: 'reported', atMs, by, note } as const;
  const [row] = await tx
    .insert(driveOutcome)
    .values({ deviceId, ...facts })
    .onConflictDoUpdate({ target: driveOutcome.deviceId, set: facts })
    .returning();
  const text = `${by} said of the device ${deviceId} that ${inWords[outcome]}${note === null ? '' : `: ${note}`}`;
  await appendEvents(tx, nowMs, [{ type: 'device.outcome', severity: 'info', text, ids: { deviceId, nodeId: found.nodeId, outcome }, by }]);
  return row!;
}
