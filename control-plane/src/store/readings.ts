import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { sql } from 'drizzle-orm';
import type { Tx } from './database.ts';
import type { Told } from './devices.ts';
import { reading } from './schema.ts';

/** What the device's row shows of its newest reading. */
async function showNewest(tx: Tx, nowMs: number, told: readonly Told<RecordOf<'reading'>>[]): Promise<void> {
  const newest = new Map<string, Told<RecordOf<'reading'>>>();
  for (const one of told) {
    const before = newest.get(one.record.deviceId);
    if (before === undefined || !one.isLate || one.record.atMs >= before.record.atMs) newest.set(one.record.deviceId, one);
  }
  const rows = [...newest.values()].map(({ nodeId, isLate, record }) => ({
    id: record.deviceId,
    node: nodeId,
    late: isLate,
    at: Math.min(record.atMs, nowMs),
    status: record.status,
    day: record.recordedDay,
    temperature: record.temperatureCelsius,
    hours: record.powerOnHours,
  }));
  await tx.execute(sql`update device d set last_reading_at_ms = n.at, last_status = n.status, recorded_day = n.day,
      temperature_celsius = coalesce(n.temperature, d.temperature_celsius), power_on_hours = coalesce(n.hours, d.power_on_hours)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(id text, node text, late boolean, at bigint, status text, day text, temperature float8, hours float8)
    where d.device_id = n.id and d.node_id = n.node and (not n.late or coalesce(d.last_reading_at_ms, 0) <= n.at)`);
}

/** Keep readings; called only with records of batches that were not stored before. */
export async function storeReadings(tx: Tx, nowMs: number, told: readonly Told<RecordOf<'reading'>>[]): Promise<void> {
  if (told.length === 0) return;
  await tx.copyRows(
    reading,
    told.map(({ nodeId, batchUid, record }) => ({
      deviceId: record.deviceId,
      nodeId,
      atMs: record.atMs,
      receivedAtMs: nowMs,
      recordedDay: record.recordedDay,
      source: record.source,
      status: record.status,
      temperatureCelsius: record.temperatureCelsius,
      powerOnHours: record.powerOnHours,
      selfAssessmentPassed: record.selfAssessmentPassed,
      smart: record.smart,
      nvme: record.nvme,
      kernel: record.kernel ?? null,
      unreadableBecause: record.unreadableBecause,
      batchUid,
    })),
  );
  await showNewest(tx, nowMs, told);
}
