import type { PlanId } from '@data-in-motion/shared/domain/ids';
import { and, eq } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { type PlanExecution, plan, planMove } from './schema.ts';

export type CalledOff =
  | { readonly ok: true; readonly leftOut: number; readonly running: number }
  | { readonly ok: false; readonly code: 'plan.not-found' | 'plan.not-applied' | 'plan.ended'; readonly because: string };

/**
 * Call an applied plan off: nothing of it that waits is begun any more, and the room that was held for that is free; what runs is finished. No other plan is
 * offered. In one transaction beside the one that begins its moves, so that a move is either begun before or never.
 */
export async function callOffPlan(tx: Tx, planId: PlanId, by: string, nowMs: number): Promise<CalledOff> {
  await oneAtATime(tx, 'plans');
  const [row] = await tx.select({ execution: plan.execution }).from(plan).where(eq(plan.planId, planId)).for('update');
  if (row === undefined) return { ok: false, code: 'plan.not-found', because: 'There is no such plan any more.' };
  const { execution } = row;
  if (execution === null) return { ok: false, code: 'plan.not-applied', because: 'The plan was not applied: there is nothing to call off.' };
  if (execution.state !== 'running')
    return { ok: false, code: 'plan.ended', because: `Nothing more of the plan would be begun: it is ${words[execution.state]}.` };
  const left = await tx
    .update(planMove)
    .set({ stage: 'left-out', because: `called off by ${by}` })
    .where(and(eq(planMove.planId, planId), eq(planMove.stage, 'waiting')))
    .returning({ moveId: planMove.moveId });
  const running = await tx.$count(planMove, and(eq(planMove.planId, planId), eq(planMove.stage, 'running')));
  const ended: PlanExecution = { ...execution, state: 'called-off', calledOff: { by, atMs: nowMs }, movedAtMs: nowMs, endedAtMs: running > 0 ? null : nowMs };
  await tx.update(plan).set({ execution: ended }).where(eq(plan.planId, planId));
  const text = `${by} called the applied plan off: ${left.length} of its moves are not begun, ${running} under way are finished`;
  await appendEvents(tx, nowMs, [{ type: 'plan.called-off', severity: 'info', text, ids: { planId }, by }]);
  return { ok: true, leftOut: left.length, running };
}

const words: Readonly<Record<Exclude<PlanExecution['state'], 'running'>, string>> = {
  stopped: 'stopped already',
  'called-off': 'called off already',
  done: 'carried out',
};
