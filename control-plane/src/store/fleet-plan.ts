import type { MoveView, PlanView } from '@data-in-motion/shared/api/decisions';
import type { ReplicaId } from '@data-in-motion/shared/domain/ids';
import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import type { Step } from '../fleet/after-steps.ts';
import { type Db, rowsOf, type Store, type Tx } from './database.ts';
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

const mark = sql<string>`concat_ws(' ', ${plan.planId}, ${plan}.xmin::text)`;
/** One for a few datasets does not take the place of the one for all. */
const newest = (what: SQL): SQL => sql`select ${what} from ${plan} where ${and(eq(plan.state, 'current'), plan.ofFleet)} order by ${desc(plan.planId)} limit 1`;

/** What the plan before says besides its moves, and the digest of what it rests on. */
export interface PlanGrounds extends Pick<PlanView, 'planId' | 'infeasible'> {
  readonly basis: string | null;
}

/** A move as far as it makes a plan another one. */
export interface PlannedMove extends Pick<MoveView, 'datasetId' | 'need' | 'action' | 'fromTargetId' | 'toTargetId' | 'verdict' | 'heldBecause' | 'sizeBytes'> {
  readonly fromReplicaId: ReplicaId | null;
  readonly readReplicaId?: ReplicaId | null;
}

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
    const moves = await readMoves<Step>(tx, row.planId, ['datasetId', 'action', 'fromReplicaId', 'fromTargetId', 'toTargetId']);
    return { ...row, moves };
  });
}

/** Of the newest plan of the whole fleet; undefined where there is none. */
export async function fleetPlanGrounds(tx: Tx): Promise<PlanGrounds | undefined> {
  const [row] = await rowsOf<PlanGrounds>(
    tx,
    newest(sql`${plan.planId} as "planId", ${plan.body}->>'basis' as basis, ${plan.body}->'infeasible' as infeasible`),
  );
  return row;
}

/** In their order, with the names that they were shown under. */
export function movesOfPlan(tx: Tx, planId: string): Promise<(PlannedMove & { readonly moveId: string })[]> {
  const names = ['moveId', 'datasetId', 'need', 'action', 'fromTargetId', 'toTargetId', 'verdict', 'heldBecause', 'fromReplicaId', 'readReplicaId'];
  return readMoves(tx, planId, names);
}

/** The bytes and these fields, all of them text, of each move: taken out by the server, so that they come one by one. */
function readMoves<Move extends { readonly sizeBytes: number }>(db: Db, planId: string, fields: readonly string[]): Promise<Move[]> {
  const listed = (after: string): SQL =>
    sql.join(
      fields.map((field) => sql`${sql.identifier(field)}${sql.raw(after)}`),
      sql`, `,
    );
  const moves = sql`rows from (jsonb_to_recordset(${plan.body}->'moves') as (${listed(' text')}, "sizeBytes" float8)) with ordinality`;
  return rowsOf<Move>(
    db,
    sql`select ${listed('')}, "sizeBytes" from ${plan} cross join lateral ${moves} as m(${listed('')}, "sizeBytes", place)
      where ${plan.planId} = ${planId} order by place`,
  );
}
