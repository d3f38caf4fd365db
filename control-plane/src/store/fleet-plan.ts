import type { PlanView } from '@data-in-motion/shared/api/decisions';
import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import type { Step } from '../fleet/after-steps.ts';
import { type Db, rowsOf, type Store } from './database.ts';
import { plan } from './schema.ts';

/** The newest plan of the whole fleet, as far as pages add it up. A plan of thousands of moves is megabytes, most of which are words. */
export interface FleetPlan extends Pick<PlanView, 'planId' | 'madeAtMs' | 'migrationOnce' | 'infeasible'> {
  readonly mark: string;
  readonly moves: readonly Step[];
}

/** The same whole, as text: the PlanView that answers a request. */
export interface FleetPlanText {
  readonly mark: string;
  readonly text: string;
}

/** One for a few datasets does not take the place of the one for all. */
export const ofWholeFleet = sql`not (${plan.body} ? 'datasetIds')`;
const mark = sql<string>`concat_ws(' ', ${plan.planId}, ${plan}.xmin::text)`;
const newest = (what: SQL): SQL => sql`select ${what} from ${plan} where ${and(eq(plan.state, 'current'), ofWholeFleet)} order by ${desc(plan.planId)} limit 1`;

/** Which row it is, and who wrote it last: while that stays, so does what it says. Empty where there is none. */
export async function fleetPlanMark(db: Db): Promise<string> {
  const [row] = await rowsOf<{ mark: string }>(db, newest(sql`${mark} as mark`));
  return row?.mark ?? '';
}

/** Undefined where there is none. Nothing is unpacked: that would hold up the process for as long as a person notices. */
export async function fleetPlanText(db: Db): Promise<FleetPlanText | undefined> {
  const shown = sql`${plan.body} || jsonb_build_object('state', ${plan.state}, 'roomHeldUntilMs', null)`;
  const [row] = await rowsOf<FleetPlanText>(db, newest(sql`${mark} as mark, (${shown})::text as text`));
  return row;
}

/** Null where there is none. Its moves come one by one, in their order. */
export function readFleetPlan(store: Store): Promise<FleetPlan | null> {
  return store.transaction(async (tx) => {
    await tx.execute(sql`set transaction isolation level repeatable read`);
    const figures = sql`${plan.planId} as "planId", ${plan.madeAtMs} as "madeAtMs", (${plan.body}->>'migrationOnce')::float8 as "migrationOnce"`;
    const [row] = await rowsOf<Omit<FleetPlan, 'moves'>>(tx, newest(sql`${mark} as mark, ${figures}, ${plan.body}->'infeasible' as infeasible`));
    if (row === undefined) return null;
    const columns = sql`"datasetId" text, "action" text, "fromReplicaId" text, "fromTargetId" text, "toTargetId" text, "sizeBytes" float8`;
    const names = sql`"datasetId", "action", "fromReplicaId", "fromTargetId", "toTargetId", "sizeBytes"`;
    const moves = await rowsOf<Step>(
      tx,
      sql`select ${names} from ${plan} cross join lateral rows from (jsonb_to_recordset(${plan.body}->'moves') as (${columns})) with ordinality
        as m(${names}, place) where ${plan.planId} = ${row.planId} order by place`,
    );
    return { ...row, moves };
  });
}
