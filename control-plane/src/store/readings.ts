import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { sql } from 'drizzle-orm';
import type { Tx } from './database.ts';
import type { OfNode } from './devices.ts';
import { diskStats, reading } from './schema.ts';

export type OfBatch<Record> = OfNode<Record> & { readonly batchUid: string };

/** What the device's row shows of its newest reading; older ones, told late, change nothing. */
async function showNewest(tx: Tx, told: readonly OfBatch<RecordOf<'reading'>>[]): Promise<void> {
  const newest = new Map<string, RecordOf<'reading'>>();
  for (const { record } of told) if (record.atMs >= (newest.get(record.deviceId)?.atMs ?? 0)) newest.set(record.deviceId, record);
  const rows = [...newest.values()].map((one) => ({ id: one.deviceId, at: one.atMs, status: one.status, day: one.recordedDay, temperature: one.temperatureCelsius, hours: one.powerOnHours }));
  await tx.execute(sql`update device d set last_reading_at_ms = n.at, last_status = n.status, recorded_day = n.day,
      temperature_celsius = coalesce(n.temperature, d.temperature_celsius), power_on_hours = coalesce(n.hours, d.power_on_hours)
    from (select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(id text, at bigint, status text, day text, temperature float8, hours float8) order by id) n
    where d.device_id = n.id and coalesce(d.last_reading_at_ms, 0) <= n.at`);
}

/** Keep readings; called only with records of batches that were not stored before. */
export async function storeReadings(tx: Tx, nowMs: number, told: readonly OfBatch<RecordOf<'reading'>>[]): Promise<void> {
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
      unreadableBecause: record.unreadableBecause,
      batchUid,
    })),
  );
  await showNewest(tx, told);
}

/** Keep the kernel's counters. */
export async function storeDiskStats(tx: Tx, told: readonly OfNode<RecordOf<'disk-stats'>>[]): Promise<void> {
  if (told.length === 0) return;
  await tx.copyRows(
    diskStats,
    told.map(({ record: { type: _, ...facts } }) => facts),
  );
}
