import { isRisky, type RiskLevel } from '@data-in-motion/shared/domain/assessment';
import type { DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { eq, inArray } from 'drizzle-orm';
import { endAlert, raiseAlert } from './alerts.ts';
import type { Tx } from './database.ts';
import { appendEvents, type NewEvent } from './events.ts';
import { assessment, device } from './schema.ts';

/** A record with who told it. */
export interface Told<Record> {
  readonly nodeId: NodeId;
  readonly batchUid: string;
  /** Something sealed after it is stored already; what it says counts only where its time is newer. Agents' clocks may be wrong, so otherwise their order counts. */
  readonly isLate: boolean;
  readonly record: Record;
}

/** Devices as their agents see them now; a device that was moved to another node belongs to that from here on. */
export async function storeDevices(tx: Tx, nowMs: number, seen: readonly Told<RecordOf<'device-seen'>>[]): Promise<void> {
  if (seen.length === 0) return;
  const newest = new Map(seen.map((one) => [one.record.deviceId, one]));
  const before = await tx
    .select({ deviceId: device.deviceId, nodeId: device.nodeId })
    .from(device)
    .where(inArray(device.deviceId, [...newest.keys()]));
  const nodeBefore = new Map(before.map((row) => [row.deviceId, row.nodeId]));
  const events: NewEvent[] = [];
  for (const { nodeId, record } of [...newest.values()].sort((a, b) => (a.record.deviceId < b.record.deviceId ? -1 : 1))) {
    const { type: _, deviceId, ...facts } = record;
    await tx
      .insert(device)
      .values({ deviceId, nodeId, ...facts })
      .onConflictDoUpdate({ target: device.deviceId, set: { nodeId, ...facts } });
    const was = nodeBefore.get(deviceId);
    const ids = { deviceId, nodeId };
    if (was === undefined)
      events.push({ type: 'device.found', severity: 'info', text: `${nodeId} has the device ${deviceId} (${facts.model}).`, ids, by: `agent ${nodeId}` });
    else if (was !== nodeId)
      events.push({ type: 'device.moved', severity: 'warning', text: `The device ${deviceId} went from ${was} to ${nodeId}.`, ids, by: `agent ${nodeId}` });
  }
  await appendEvents(tx, nowMs, events);
}

const severityOf: Readonly<Record<RiskLevel, NewEvent['severity']>> = {
  healthy: 'info',
  watch: 'info',
  unknown: 'info',
  'at-risk': 'warning',
  failing: 'error',
};

/** Say a change of a device's level, and open or end its alert. What can no longer be judged keeps the alert it has. */
async function tellLevel(tx: Tx, nowMs: number, nodeId: NodeId, from: RiskLevel, to: RecordOf<'assessment'>): Promise<void> {
  const ids = { deviceId: to.deviceId, nodeId };
  const because = to.reasons[0]?.text ?? 'no reason given';
  const text = `The device ${to.deviceId} on ${nodeId} is ${to.level} (was ${from}): ${because}`;
  await appendEvents(tx, nowMs, [
    { type: 'device.level-changed', severity: severityOf[to.level], text, ids: { ...ids, from, to: to.level }, by: `agent ${nodeId}` },
  ]);
  if (isRisky(to.level)) await raiseAlert(tx, nowMs, { rule: 'device-risk', subject: to.deviceId, severity: severityOf[to.level], text, ids });
  else if (to.level !== 'unknown') await endAlert(tx, nowMs, 'device-risk', to.deviceId);
}

/**
 * Keep every assessment, and let the newest one stand on its device; every change of level on the way is told.
 * What a node says of a device that is in another one is kept, and changes nothing. Answers the devices whose level changed.
 */
export async function storeAssessments(tx: Tx, nowMs: number, told: readonly Told<RecordOf<'assessment'>>[]): Promise<DeviceId[]> {
  if (told.length === 0) return [];
  await tx.copyRows(
    assessment,
    told.map(({ nodeId, record: { type: _, ...facts } }) => ({ nodeId, ...facts })),
  );
  const ids = [...new Set(told.map(({ record }) => record.deviceId))].sort();
  const rows = await tx
    .select({
      deviceId: device.deviceId,
      nodeId: device.nodeId,
      level: device.level,
      assessedAtMs: device.assessedAtMs,
      since: device.levelSinceMs,
      judge: device.judge,
      judgeSinceMs: device.judgeSinceMs,
    })
    .from(device)
    .where(inArray(device.deviceId, ids))
    .orderBy(device.deviceId)
    .for('update');
  const changed: DeviceId[] = [];
  for (const row of rows) {
    let { level, assessedAtMs, since, judge: judgedBy, judgeSinceMs } = row;
    let newest: RecordOf<'assessment'> | undefined;
    for (const { nodeId, record, isLate } of told) {
      if (record.deviceId !== row.deviceId || nodeId !== row.nodeId || (isLate && record.atMs < (assessedAtMs ?? 0))) continue;
      const atMs = Math.min(record.atMs, nowMs);
      if (record.level !== level) {
        await tellLevel(tx, nowMs, nodeId, level, record);
        since = atMs;
      }
      if (judgedBy?.name !== record.judge.name || judgedBy.version !== record.judge.version) judgeSinceMs = atMs;
      judgedBy = record.judge;
      level = record.level;
      assessedAtMs = atMs;
      newest = record;
    }
    if (newest === undefined) continue;
    if (level !== row.level) changed.push(row.deviceId);
    const { probability, probability7, horizonDays, judge, reasons } = newest;
    await tx
      .update(device)
      .set({ level, levelSinceMs: since, probability, probability7, horizonDays, judge, judgeSinceMs, reasons, assessedAtMs })
      .where(eq(device.deviceId, row.deviceId));
  }
  return changed;
}
