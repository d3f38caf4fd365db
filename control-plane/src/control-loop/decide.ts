import type { PlanView } from '@data-in-motion/shared/api/decisions';
import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, JobId, PlanId } from '@data-in-motion/shared/domain/ids';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { eq, sql } from 'drizzle-orm';
import type { RiskSettings } from '../fleet/decision-settings.ts';
import { withoutHolds } from '../fleet/plan-holds.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { changedEvacuations } from '../health/evacuations.ts';
import { targetHealth } from '../health/target-health.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { type Admission, admitPlan } from '../jobs/admit.ts';
import { atWork } from '../jobs/at-work.ts';
import type { Move } from '../placement/plan.ts';
import { planBasisOf } from '../placement/plan-basis.ts';
import { fleetNeeds, type Need } from '../reconcile/needs.ts';
import { promotions } from '../reconcile/promotions.ts';
import { endAlert, raiseAlert } from '../store/alerts.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/events.ts';
import { insertPromotionJob } from '../store/jobs.ts';
import { keepEvacuation } from '../store/leaving-devices.ts';
import { loadSnapshot } from '../store/load-snapshot.ts';
import { replacedPreviews } from '../store/plan-holds.ts';
import { planViewOf, type StoredPlan, savePlan } from '../store/plans.ts';
import { alert } from '../store/schema.ts';
import { insertMove } from './insert-move.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';

/** What a pass sees: one snapshot, how hot everything is, and what is needed. */
export interface Picture {
  readonly snapshot: FleetSnapshot;
  readonly heats: ReadonlyMap<DatasetId, Heat>;
  readonly needs: readonly Need[];
}

export function picture(snapshot: FleetSnapshot, parts: Pick<LoopParts, 'settings'>): Picture {
  const heats = fleetHeats(snapshot, parts.settings.decisions.heat);
  return { snapshot, heats, needs: fleetNeeds(snapshot, heats, parts.settings.decisions) };
}

/** How old a stored heat may be while its class stays. */
const heatKeptMs = 60_000;

/** Keep what was decided about heat; a change of class is an event. The answer tells whether any class changed. */
export async function storeHeats(write: LeaderWrite, { snapshot, heats }: Picture): Promise<boolean> {
  const changed = snapshot.datasets.filter((facts) => {
    const heat = heats.get(facts.datasetId)!;
    return heat.class !== facts.heatClass || heat.decidedAtMs - (facts.heatDecidedAtMs ?? 0) >= heatKeptMs;
  });
  if (changed.length === 0) return false;
  await write(async (tx, nowMs) => {
    // One statement for all: a fleet at rest has every heat decided anew each minute.
    const rows = JSON.stringify(changed.map(({ datasetId }) => ({ id: datasetId, heat: heats.get(datasetId)! })));
    await tx.execute(
      sql`update dataset set heat = given.heat from jsonb_to_recordset(${rows}::jsonb) as given(id text, heat jsonb) where dataset_id = given.id`,
    );
    for (const facts of changed) {
      const heat = heats.get(facts.datasetId)!;
      if (facts.heatClass !== null && facts.heatClass !== heat.class) await tellHeat(tx, facts.datasetId, facts.heatClass, heat, nowMs);
    }
  });
  return changed.some((facts) => heats.get(facts.datasetId)!.class !== facts.heatClass);
}

/** Keep which devices are being emptied: what was begun goes on by other sums than what is new. Each change is told. */
export async function storeEvacuations(write: LeaderWrite, { snapshot }: Picture, settings: RiskSettings): Promise<void> {
  const changed = changedEvacuations(snapshot, settings);
  if (changed.length === 0) return;
  await write(async (tx, nowMs) => {
    for (const { deviceId, begins, reason } of changed) {
      await keepEvacuation(tx, deviceId, begins ? nowMs : null);
      const text = begins ? `The copies on ${deviceId} are to leave: ${reason}` : `${deviceId} is not emptied any more: ${reason}`;
      const type = begins ? 'device.evacuation-begun' : 'device.evacuation-ended';
      await appendEvents(tx, nowMs, [{ type, severity: begins ? 'warning' : 'info', text, ids: { deviceId }, by: 'control-plane' }]);
    }
  });
}

async function tellHeat(tx: Tx, datasetId: DatasetId, before: string, heat: Heat, nowMs: number): Promise<void> {
  const text = `${datasetId} is ${heat.class} now, it was ${before}: ${heat.reason}`;
  await appendEvents(tx, nowMs, [
    { type: 'dataset.heat-changed', severity: 'info', text, ids: { datasetId, from: before, to: heat.class, score: heat.score }, by: 'control-plane' },
  ]);
}

/** Send readers to a good copy where the primary can not be read any more. */
export async function promoteCopies(write: LeaderWrite, snapshot: FleetSnapshot): Promise<void> {
  for (const one of promotions(snapshot))
    await write(async (tx, nowMs) => void (await insertPromotionJob(tx, one.toReplicaId, one.reason, 'replace-bad-copy', nowMs)));
}

/**
 * What makes another plan worth while, as one text: while it stays the same, a new plan would say the same. Fill levels and measured speeds are left to the periodic plan,
 * or every measurement would make one.
 */
export function planTrigger({ snapshot, heats, needs }: Picture): string {
  const health = targetHealth(snapshot);
  return JSON.stringify([
    needs.map((need) => [need.kind, need.datasetId, need.replicaId]),
    snapshot.datasets.map((facts) => [
      facts.datasetId,
      facts.rev,
      facts.versionId,
      heats.get(facts.datasetId)?.class,
      facts.policy,
      facts.replicas.map((copy) => [copy.replicaId, copy.state]),
    ]),
    snapshot.targets.map((place) => [
      place.targetId,
      place.prices,
      place.tier,
      health.get(place.targetId)?.takesData,
      health.get(place.targetId)?.drain,
      health.get(place.targetId)?.counts,
    ]),
    snapshot.jobs.length,
  ]);
}

/** Solve, admit what may be admitted on a fresh look at the fleet, and keep the plan. A dry run admits nothing. @returns also what the plan was made from, see `planTrigger` */
export async function makePlan(
  parts: LoopParts,
  write: LeaderWrite,
  wanted: { dryRun: boolean; datasetIds: ReadonlySet<DatasetId> | null },
): Promise<{ plan: PlanView; basis: string }> {
  const seen = picture(await loadSnapshot(parts.store), parts);
  const made = await parts.solve(seen.snapshot, seen.needs, seen.heats, wanted.datasetIds);
  const { decisions } = parts.settings;
  const fresh = await loadSnapshot(parts.store);
  const replaced = wanted.dryRun ? await replacedPreviews(parts.store.db, wanted.datasetIds, fresh.takenAtMs) : new Set<PlanId>();
  const mine = withoutHolds(fresh, (hold) => hold.untilMs !== null && replaced.has(hold.planId));
  const admissions = admitPlan(atWork(mine), made, decisions.limits, decisions);
  const basis = planBasisOf(seen.snapshot, seen.heats, made.moves, decisions);
  const planId = ulid(made.madeAtMs, systemRandom) as PlanId;
  const plan = await write(async (tx, nowMs) => {
    const jobs = wanted.dryRun ? new Map<Move, JobId>() : await insertAdmitted(tx, fresh, admissions, planId, nowMs);
    const settled = admissions.map((one) =>
      one.verdict === 'admitted' && !wanted.dryRun && !jobs.has(one.move)
        ? { ...one, verdict: 'held' as const, heldBecause: 'a job for it is under way' }
        : one,
    );
    const drawn = planViewOf(planId, made, settled, jobs, wanted.dryRun ? 'preview' : 'current', wanted.datasetIds);
    const { view, isNew } = await savePlan(tx, drawn, { basis, heldUntilMs: nowMs + decisions.roomHeldMs }, nowMs);
    if (!wanted.dryRun && isNew) await tellPlan(tx, view, nowMs);
    if (!wanted.dryRun) await tellInfeasible(tx, view, nowMs);
    return view;
  });
  return { plan, basis: planTrigger(seen) };
}

/** Write the admitted moves as jobs; one that is there already by its key makes none. */
async function insertAdmitted(tx: Tx, snapshot: FleetSnapshot, admissions: readonly Admission[], planId: PlanId, nowMs: number): Promise<Map<Move, JobId>> {
  const jobs = new Map<Move, JobId>();
  for (const { move, verdict } of admissions) {
    if (verdict !== 'admitted') continue;
    const jobId = await insertMove(tx, snapshot, move, planId, nowMs);
    if (jobId !== null) jobs.set(move, jobId);
  }
  return jobs;
}

async function tellPlan(tx: Tx, view: StoredPlan, nowMs: number): Promise<void> {
  if (view.moves.length === 0) return;
  const admitted = view.moves.filter((move) => move.verdict === 'admitted').length;
  const text = `A plan of ${view.moves.length} ${view.moves.length === 1 ? 'move' : 'moves'}, ${admitted} of them started`;
  await appendEvents(tx, nowMs, [
    {
      type: 'plan.made',
      severity: 'info',
      text,
      ids: { planId: view.planId, moves: view.moves.length, admitted, costBefore: view.costBeforePerMonth, costAfter: view.costAfterPerMonth },
      by: 'control-plane',
    },
  ]);
}

/** An open alert for as long as a policy can not be met. */
async function tellInfeasible(tx: Tx, view: StoredPlan, nowMs: number): Promise<void> {
  const open = await tx.select({ ids: alert.ids }).from(alert).where(eq(alert.rule, 'policy.infeasible'));
  const infeasible = new Set(view.infeasible.map((one) => one.datasetId));
  for (const { ids } of open)
    if (typeof ids.datasetId === 'string' && !infeasible.has(ids.datasetId) && (view.datasetIds?.includes(ids.datasetId) ?? true))
      await endAlert(tx, nowMs, 'policy.infeasible', ids.datasetId);
  for (const one of view.infeasible) {
    const text = `The policy of ${one.datasetId} can not be met (${one.rules.join(', ')}). ${one.cheapestWayOut}`;
    await raiseAlert(tx, nowMs, { rule: 'policy.infeasible', subject: one.datasetId, severity: 'warning', text, ids: { datasetId: one.datasetId } });
  }
}
