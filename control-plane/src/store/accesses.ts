import type { Access } from '@data-in-motion/shared/domain/heat';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { sql } from 'drizzle-orm';
import { type Db, rowsOf, type Tx } from './database.ts';
import type { Told } from './devices.ts';

/** Accesses are added up per dataset and minute. */
const minuteMs = sql.raw('60000');
/** Sums stay where JavaScript counts exactly, whatever an observer claims. */
const mostExact = sql.raw('9007199254740991');

export interface StoredAccesses {
  readonly accepted: number;
  /** Seen before under the same id, here or in an earlier call. */
  readonly repeated: number;
  /** Of datasets that do not exist; not kept. */
  readonly unknown: number;
}

/**
 * Keep accesses, each id once, and add them to their minutes and to `dataset.last_access_at_ms`: all from the rows that were
 * inserted, so a repetition counts nothing. A time in the future is kept but does not make a dataset used later than now.
 */
export async function storeAccesses(tx: Tx, nowMs: number, accesses: readonly Access[]): Promise<StoredAccesses> {
  if (accesses.length === 0) return { accepted: 0, repeated: 0, unknown: 0 };
  const [counts] = await rowsOf<{ known: number; fresh: number }>(
    tx,
    sql`with given as (
      select g.* from jsonb_to_recordset(${JSON.stringify(accesses)}::jsonb)
        as g("accessId" text, "datasetId" text, kind text, count bigint, bytes bigint, "atMs" bigint, "latencyMs" float8, source text)
      join dataset d on d.dataset_id = g."datasetId"
    ), fresh as (
      insert into access_event (access_id, dataset_id, kind, count, bytes, at_ms, latency_ms, source, received_at_ms)
      select "accessId", "datasetId", kind, count, bytes, "atMs", "latencyMs", source, ${nowMs}::bigint from given order by "accessId"
      on conflict do nothing returning *
    ), minutes as (
      insert into access_aggregate (dataset_id, window_start_ms, window_end_ms, reads, writes, read_bytes, written_bytes, last_access_at_ms)
      select dataset_id, at_ms / ${minuteMs} * ${minuteMs} as start, (at_ms / ${minuteMs} + 1) * ${minuteMs},
        least(coalesce(sum(count) filter (where kind = 'read'), 0), ${mostExact})::bigint, least(coalesce(sum(count) filter (where kind = 'write'), 0), ${mostExact})::bigint,
        least(coalesce(sum(bytes) filter (where kind = 'read'), 0), ${mostExact})::bigint, least(coalesce(sum(bytes) filter (where kind = 'write'), 0), ${mostExact})::bigint, max(at_ms)
      from fresh group by dataset_id, at_ms / ${minuteMs} order by dataset_id, start
      on conflict (dataset_id, window_start_ms) do update set
        reads = least(access_aggregate.reads::numeric + excluded.reads, ${mostExact})::bigint, writes = least(access_aggregate.writes::numeric + excluded.writes, ${mostExact})::bigint,
        read_bytes = least(access_aggregate.read_bytes::numeric + excluded.read_bytes, ${mostExact})::bigint,
        written_bytes = least(access_aggregate.written_bytes::numeric + excluded.written_bytes, ${mostExact})::bigint,
        last_access_at_ms = greatest(access_aggregate.last_access_at_ms, excluded.last_access_at_ms)
    ), used as (
      update dataset d set last_access_at_ms = greatest(coalesce(d.last_access_at_ms, 0), u.at)
      from (select dataset_id, least(max(at_ms), ${nowMs}::bigint) as at from fresh group by dataset_id order by dataset_id) u where d.dataset_id = u.dataset_id
    )
    select (select count(*) from given)::int as known, (select count(*) from fresh)::int as fresh`,
  );
  const { known, fresh } = counts!;
  return { accepted: fresh, repeated: known - fresh, unknown: accesses.length - known };
}

/** Of a row `r` of `access_rate`: its agent keeps a copy of the dataset that readers may use. */
export const keepsCopy = sql`exists (
  select 1 from replica c join target t on t.target_id = c.target_id
  where c.dataset_id = r.dataset_id and t.node_id = r.node_id and c.state in ('verified', 'suspect')
)`;

/**
 * The agents' running means of accesses per hour: each tells what it sees at the copies it keeps, and its last word stands; see `loadSnapshot` for their sum.
 * Late ones are left out, since each agent tells its means again and again.
 */
export async function storeAccessRates(tx: Db, told: readonly Told<RecordOf<'ewma'>>[]): Promise<void> {
  const newest = new Map(told.filter(({ isLate }) => !isLate).map(({ nodeId, record }) => [`${nodeId} ${record.datasetId}`, { nodeId, record }]));
  if (newest.size === 0) return;
  const rows = [...newest.values()].map(({ nodeId, record }) => ({ node: nodeId, id: record.datasetId, rate: record.accessesPerHour }));
  await tx.execute(
    sql`insert into access_rate (dataset_id, node_id, per_hour)
      select d.dataset_id, node, rate from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(node text, id text, rate float8)
      join dataset d on d.dataset_id = n.id order by 1, 2 on conflict (dataset_id, node_id) do update set per_hour = excluded.per_hour`,
  );
}
