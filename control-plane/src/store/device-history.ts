import type { DeviceEvacuation, DeviceHistory } from '@data-in-motion/shared/api/fleet';
import { certificateBody } from '@data-in-motion/shared/api/operations';
import type { KernelCounts } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { eq, type SQL, sql } from 'drizzle-orm';
import { type Db, rowsOf } from './database.ts';
import { certificate } from './schema.ts';

type History = Pick<DeviceHistory, 'kernel' | 'stored' | 'readings' | 'assessments'>;
type Counted<Row> = Row & { readonly stored: number };

/**
 * What is kept of a drive's life, thinned to what a chart can show: of equally many rows in a row the last. Rows and not time are shared out,
 * because the recent ones lie closer together, and they are what a person looks for.
 *
 * @param points of each list at most, oldest first; of the assessments half, the other half is for those that changed the level
 */
export async function readDeviceHistory(db: Db, deviceId: DeviceId, points: number): Promise<History> {
  const readings = await rowsOf<Counted<History['readings'][number]>>(
    db,
    sql`select at_ms::float8 as "atMs", recorded_day as "recordedDay", status, smart, temperature_celsius as "temperatureCelsius", stored,
          case when nvme is not null then jsonb_build_object(
            'percentageUsed', nvme->'percentageUsed', 'availableSparePercent', nvme->'availableSparePercent', 'mediaErrors', nvme->'mediaErrors') end as nvme,
          case when kernel is not null then jsonb_build_object('ioErrors', kernel->'ioErrors', 'timeouts', kernel->'timeouts',
            'msPerRead', kernel->'since'->'msPerRead', 'msPerWrite', kernel->'since'->'msPerWrite') end as kernel
        from (${numbered('reading', deviceId, sql``)}) numbered
        where ${isLastOf(points)} order by at_ms`,
  );
  const half = Math.max(1, Math.floor(points / 2));
  const assessments = await rowsOf<Counted<History['assessments'][number]>>(
    db,
    sql`select at_ms::float8 as "atMs", recorded_day as "recordedDay", level, probability, judge, stored,
          array(select reason->>'text' from jsonb_array_elements(reasons) reason) as reasons
        from (${numbered('assessment', deviceId, sql`, lag(level) over (order by at_ms) as before`)}) numbered
        where level is distinct from before or ${isLastOf(half)} order by at_ms desc limit ${points}`,
  );
  const [counted] = await rowsOf<{ atMs: number; kernel: KernelCounts }>(
    db,
    sql`select at_ms::float8 as "atMs", kernel from reading where device_id = ${deviceId} and kernel is not null order by at_ms desc limit 1`,
  );
  return {
    kernel: counted === undefined ? null : { atMs: counted.atMs, ...counted.kernel },
    stored: { readings: readings[0]?.stored ?? 0, assessments: assessments[0]?.stored ?? 0 },
    readings: readings.map(({ stored: _, ...reading }) => reading),
    assessments: assessments.reverse().map(({ stored: _, ...assessment }) => assessment),
  };
}

/** How often the drive was emptied, as its certificates say; oldest first. */
export async function readEvacuations(db: Db, deviceId: DeviceId): Promise<DeviceEvacuation[]> {
  const rows = await db.select().from(certificate).where(eq(certificate.deviceId, deviceId)).orderBy(certificate.openedAtMs);
  return rows.map(({ certificateId, state, openedAtMs, body }) => {
    const { alarm, emptyAtMs, replicas, outcome } = certificateBody.parse(JSON.parse(body));
    return { certificateId, state, openedAtMs, alarm, emptyAtMs, replicas: replicas.length, bytes: replicas.reduce((sum, one) => sum + one.bytes, 0), outcome };
  });
}

function numbered(table: 'reading' | 'assessment', deviceId: DeviceId, more: SQL): SQL {
  return sql`select *, row_number() over (order by at_ms) as place, count(*) over ()::int as stored${more} from ${sql.raw(table)} where device_id = ${deviceId}`;
}

/** Whole numbers divide without a rest: the place at which the quotient rises is the last of its share, and the newest always is. */
function isLastOf(shares: number): SQL {
  return sql`place * ${shares}::int / stored > (place - 1) * ${shares}::int / stored`;
}
