import type { DatasetId, PlanId, TargetId } from '@data-in-motion/shared/domain/ids';
import { gt, inArray } from 'drizzle-orm';
import type { PlanHold } from '../fleet/snapshot.ts';
import type { Db } from './database.ts';
import { plan, planMove } from './schema.ts';

/** What plans hold now: previews until their time is over, applied plans until each of their moves has ended. */
export async function loadHolds(db: Db, nowMs: number): Promise<PlanHold[]> {
  const seen = await db
    .select({ planId: plan.planId, untilMs: plan.heldUntilMs, bytes: plan.heldBytes })
    .from(plan)
    .where(gt(plan.heldUntilMs, nowMs))
    .orderBy(plan.planId);
  const open = await db
    .select()
    .from(planMove)
    .where(inArray(planMove.stage, ['waiting', 'running']))
    .orderBy(planMove.planId, planMove.place);
  const atWork = [...Map.groupBy(open, (row) => row.planId)].map(([planId, rows]): PlanHold => {
    const bytes: Record<TargetId, number> = {};
    for (const row of rows) if (row.stage === 'waiting' && row.toTargetId !== null) bytes[row.toTargetId] = (bytes[row.toTargetId] ?? 0) + row.sizeBytes;
    return { planId, untilMs: null, bytes, datasetIds: [...new Set(rows.filter(keepsOthersOff).map((row) => row.datasetId))] };
  });
  return [...seen.map(({ planId, untilMs, bytes }) => ({ planId, untilMs, bytes: bytes ?? {}, datasetIds: [] })), ...atWork];
}

/** A drop that is under way may wait long for its permit, and what it waits for may be the work of others. */
function keepsOthersOff(row: typeof planMove.$inferSelect): boolean {
  return row.stage === 'waiting' || row.toTargetId !== null;
}

/** Previews that one for these datasets (null: for all) takes the place of: what they hold is free for it. */
export async function replacedPreviews(db: Db, datasetIds: ReadonlySet<DatasetId> | null, nowMs: number): Promise<ReadonlySet<PlanId>> {
  const held = await db.select({ planId: plan.planId, body: plan.body }).from(plan).where(gt(plan.heldUntilMs, nowMs));
  const concerned = held.filter(
    ({ body }) => datasetIds === null || (body as { moves: { datasetId: DatasetId }[] }).moves.some((move) => datasetIds.has(move.datasetId)),
  );
  return new Set(concerned.map(({ planId }) => planId));
}

export async function endHolds(db: Db, planIds: ReadonlySet<PlanId>): Promise<void> {
  if (planIds.size > 0)
    await db
      .update(plan)
      .set({ heldBytes: null, heldUntilMs: null })
      .where(inArray(plan.planId, [...planIds]));
}
