import type { ChaosView } from '@data-in-motion/shared/api/operations';
import { sql } from 'drizzle-orm';
import { rowsOf, type Store } from '../../store/database.ts';
import { allReplicas, type FleetRows, reachableTargets } from '../fleet-rows.ts';

/** What must hold at every moment, looked up in the database now. Bytes are checked by `dim datasets verify` and by scenarios. */
export async function invariantsOf(store: Store, rows: FleetRows): Promise<ChaosView['invariants']> {
  const reachable = reachableTargets(rows);
  const readable = new Set(
    allReplicas(rows)
      .filter((replica) => ['verified', 'retiring'].includes(replica.state) && reachable.has(replica.targetId))
      .map((replica) => replica.versionId),
  );
  const pointers = rows.datasets.flatMap(({ pointer }) => pointer ?? []);
  const without = pointers.filter((pointer) => !readable.has(pointer.versionId));
  const broken = await rowsOf<{ count: number }>(
    store.db,
    sql`select count(*)::int as count from (
      select from_rev, to_rev, lag(to_rev) over (partition by dataset_id order by to_rev) as before from switch_log
    ) link where to_rev <> from_rev + 1 or from_rev <> before`,
  );
  const strayPointers = await rowsOf<{ count: number }>(
    store.db,
    sql`select count(*)::int as count from pointer p left join replica r on r.replica_id = p.replica_id and r.version_id = p.version_id where r.replica_id is null`,
  );
  const twice = await rowsOf<{ count: number }>(
    store.db,
    sql`select count(*)::int as count from (select job_id from job_transition where to_state = 'switched' group by job_id having count(*) > 1) as twice`,
  );
  // Old names are deleted from below, so what is there must be whole from the lowest on.
  const holes = await rowsOf<{ count: number }>(
    store.db,
    sql`select count(*)::int as count from batch_seq s join agent_stream a on a.node_id = s.node_id and a.incarnation = s.incarnation
      where s.seq <= a.watermark group by s.node_id, s.incarnation, a.watermark having count(*) <> a.watermark - min(s.seq) + 1`,
  );
  const none = (rows: readonly { count: number }[]): number => Number(rows[0]?.count ?? 0);
  return [
    {
      name: 'readable',
      says: 'every dataset has a verified copy that can be read now',
      holds: without.length === 0,
      detail: without.length === 0 ? `${pointers.length} of ${pointers.length} datasets` : `without: ${without.map((pointer) => pointer.datasetId).join(', ')}`,
    },
    { name: 'pointer', says: 'each pointer names one copy of its own version', holds: none(strayPointers) === 0, detail: `${none(strayPointers)} astray` },
    { name: 'chain', says: 'pointers move by one revision at a time', holds: none(broken) === 0, detail: `${none(broken)} broken links` },
    { name: 'once', says: 'no job switched twice', holds: none(twice) === 0, detail: `${none(twice)} switched again` },
    {
      name: 'telemetry',
      says: 'no batch below a watermark is missing, as far back as their names are kept',
      holds: holes.length === 0,
      detail: holes.length === 0 ? 'no holes' : `${holes.length} streams with holes`,
    },
  ];
}
