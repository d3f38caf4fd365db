import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { sql } from 'drizzle-orm';
import { rowsOf, type Tx } from './database.ts';

/** Reads of a dataset that were counted in a span that ended when it was looked at. */
export interface CountedReads {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly reads: number;
  readonly readBytes: number;
}

export interface CountedSlice {
  /** The last dataset of the slice; null when there is none after it. */
  readonly last: DatasetId | null;
}

/**
 * Count anew what was read of the next datasets by name, and keep it with them: over `forMs`, or since they were added where that is later. Where nothing
 * was read, nothing is kept. Walks over each minute of the span in which one of them was used: for the loop, a slice at a time.
 *
 * @param after null begins with the first
 */
export async function countReads(tx: Tx, nowMs: number, forMs: number, after: DatasetId | null, many: number): Promise<CountedSlice> {
  const [slice] = await rowsOf<{ last: DatasetId | null; seen: number }>(
    tx,
    sql`with slice as (
        select dataset_id, greatest(created_at_ms, ${nowMs - forMs}::bigint) as since_ms from dataset
        where dataset_id > ${after ?? ''} order by dataset_id limit ${many}
      ), counted as (
        select s.dataset_id, s.since_ms, sum(a.reads)::float8 as reads, sum(a.read_bytes)::float8 as bytes
        from slice s left join access_aggregate a
          on a.dataset_id = s.dataset_id and a.window_start_ms >= s.since_ms and a.window_start_ms < ${nowMs}::bigint
        group by 1, 2
      ), kept as (
        update dataset d set counted_reads = case when c.reads > 0 then
          jsonb_build_object('sinceMs', c.since_ms, 'untilMs', ${nowMs}::bigint, 'reads', c.reads, 'readBytes', c.bytes) end
        from counted c where c.dataset_id = d.dataset_id and (c.reads > 0 or d.counted_reads is not null)
      )
      select max(dataset_id) as last, count(*)::int as seen from slice`,
  );
  return { last: slice!.seen < many ? null : slice!.last };
}
