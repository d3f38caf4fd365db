import type { DatasetId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { and, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import { type Db, rowsOf } from './database.ts';
import { job, replica } from './schema.ts';

/** Reads of a dataset while its primary was at one place, within one of the spans that `eraStartsMs` cut. */
export interface ReadsAtPlace {
  readonly datasetId: DatasetId;
  readonly targetId: TargetId;
  /** Place in `eraStartsMs`, from 0. */
  readonly era: number;
  readonly reads: number;
  readonly bytes: number;
}

/**
 * What was read where, added up by the database: each minute goes to the place that the pointer named when it ended. What was read before the first
 * switch of a dataset is nowhere.
 *
 * Walks over all minutes of the span, which in a large fleet in use are millions: not for a page that asks every few seconds.
 *
 * @param eraStartsMs ascending, the first is where the span begins
 */
export async function readsByPlace(db: Db, eraStartsMs: readonly number[], untilMs: number): Promise<ReadsAtPlace[]> {
  const starts = sql`array[${sql.join(
    eraStartsMs.map((ms) => sql`${ms}::bigint`),
    sql`, `,
  )}]`;
  return rowsOf<ReadsAtPlace>(
    db,
    sql`with held as (
        select dataset_id, replica_id, at_ms, lead(at_ms) over (partition by dataset_id order by to_rev) as until_ms from switch_log
      )
      select a.dataset_id as "datasetId", r.target_id as "targetId", (width_bucket(a.window_end_ms, ${starts}) - 1)::int as era,
        sum(a.reads)::float8 as reads, sum(a.read_bytes)::float8 as bytes
      from access_aggregate a
      join held h on h.dataset_id = a.dataset_id and a.window_end_ms >= h.at_ms and (h.until_ms is null or a.window_end_ms < h.until_ms)
      join replica r on r.replica_id = h.replica_id
      where a.window_end_ms >= ${eraStartsMs[0]}::bigint and a.window_end_ms < ${untilMs}::bigint and a.reads > 0
      group by 1, 2, 3`,
  );
}

/** Where each copy was read from when it was made; copies that came from outside are not in it. */
export async function sourcesOfCopies(db: Db): Promise<ReadonlyMap<ReplicaId, TargetId>> {
  const rows = await db
    .select({ replicaId: job.toReplicaId, targetId: replica.targetId })
    .from(job)
    .innerJoin(replica, eq(replica.replicaId, job.readReplicaId))
    .where(and(inArray(job.purpose, ['copy', 'move']), isNotNull(job.toReplicaId)));
  return new Map(rows.map((row) => [row.replicaId!, row.targetId]));
}
