import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { PlanView } from '@data-in-motion/shared/api/decisions';
import { type Heat, heatWindows } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, JobId, PlanId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import { eachInSlices, inSlices } from '@data-in-motion/shared/in-slices';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { eq } from 'drizzle-orm';
import { ByDataset } from '../fleet/by-dataset.ts';
import type { HeatSettings, RiskSettings } from '../fleet/decision-settings.ts';
import { placesOf } from '../fleet/lookup.ts';
import { withoutHolds } from '../fleet/plan-holds.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { changedEvacuations } from '../health/evacuations.ts';
import { targetHealth } from '../health/target-health.ts';
import { classifyHeat } from '../heat/classify-heat.ts';
import { type Admission, admitPlan } from '../jobs/admit.ts';
import { atWork } from '../jobs/at-work.ts';
import type { Move } from '../placement/plan.ts';
import { planBasisOf } from '../placement/plan-basis.ts';
import { mostUrgentFirst, type Need } from '../reconcile/needs.ts';
import { datasetPromotion } from '../reconcile/promotions.ts';
import { endAlert, raiseAlert } from '../store/alerts.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents, type NewEvent } from '../store/events.ts';
import { keepHeats } from '../store/heats.ts';
import { insertPromotionJob } from '../store/jobs.ts';
import { keepEvacuation } from '../store/leaving-devices.ts';
import { loadSnapshot } from '../store/load-snapshot.ts';
import { replacedPreviews } from '../store/plan-holds.ts';
import { planViewOf, type StoredPlan, savePlan } from '../store/plans.ts';
import { alert } from '../store/schema.ts';
import { keepShadowPrices } from '../store/shadow-prices.ts';

import { insertMove } from './insert-move.ts';
import { KeptNeeds } from './kept-needs.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';

/** What is put off once from where messages arrive still belongs to the same turn of the event loop. */
async function nextTurn(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** What a pass sees: one snapshot, how hot everything is, and what is needed. */
export interface Picture {
  readonly snapshot: FleetSnapshot;
  readonly heats: ReadonlyMap<DatasetId, Heat>;
  readonly needs: readonly Need[];
}

/** @param kept of the passes before, so that only what has changed is asked for */
export async function picture(snapshot: FleetSnapshot, { settings: { decisions } }: Pick<LoopParts, 'settings'>, kept = new KeptNeeds()): Promise<Picture> {
  const list: Heat[] = [];
  await eachInSlices(snapshot.datasets, (facts) => void list.push(classifyHeat(facts, snapshot.takenAtMs, decisions.heat)));
  const heats = new ByDataset(placesOf(snapshot), (place) => list[place]);
  const health = targetHealth(snapshot, decisions);
  return { snapshot, heats, needs: mostUrgentFirst(await kept.of(snapshot, health), heats) };
}

/** How old a stored heat may be while its class stays. */
const heatKeptMs = 60_000;
/** And one of which nothing but the age of the last use can change any more: most datasets of a large fleet lie still. */
const quietHeatKeptMs = 3_600_000;
/** So many are written in one statement. */
const heatsAtOnce = 2_000;
const longestWindowMs = Math.max(...heatWindows.map(({ ms }) => ms));

function keptFor({ lastAccessAtMs, heatDecidedAtMs }: DatasetFacts, coldAfterMs: number): number {
  // A minute counts by its end.
  const quietSinceMs = lastAccessAtMs === null ? 0 : lastAccessAtMs + Math.max(coldAfterMs, longestWindowMs + 60_000);
  return heatDecidedAtMs !== null && heatDecidedAtMs >= quietSinceMs ? quietHeatKeptMs : heatKeptMs;
}

/** Keep what was decided about heat; a change of class is an event. The answer tells whether any class changed. */
export async function storeHeats(write: LeaderWrite, { snapshot, heats }: Picture, { coldAfterMs }: Pick<HeatSettings, 'coldAfterMs'>): Promise<boolean> {
  const reclassed: DatasetFacts[] = [];
  const aged: DatasetFacts[] = [];
  await eachInSlices(snapshot.datasets, (facts) => {
    if (heats.get(facts.datasetId)!.class !== facts.heatClass) reclassed.push(facts);
    else if (snapshot.takenAtMs - facts.heatDecidedAtMs! >= keptFor(facts, coldAfterMs)) aged.push(facts);
  });
  aged.sort((a, b) => a.heatDecidedAtMs! - b.heatDecidedAtMs!);
  // What only grew old waits for its turn, the oldest first: all of a large fleet grows old in the same moment.
  const changed = [...reclassed, ...aged.slice(0, heatsAtOnce)];
  for (let at = 0; at < changed.length; at += heatsAtOnce) {
    const slice = changed.slice(at, at + heatsAtOnce);
    await write(async (tx, nowMs) => {
      await keepHeats(tx, new Map(slice.map(({ datasetId }) => [datasetId, heats.get(datasetId)!])));
      const told = slice.flatMap(({ datasetId, heatClass }) => {
        const heat = heats.get(datasetId)!;
        return heatClass === null || heatClass === heat.class ? [] : [changeOfHeat(datasetId, heatClass, heat)];
      });
      await appendEvents(tx, nowMs, told);
    });
  }
  return reclassed.length > 0;
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

function changeOfHeat(datasetId: DatasetId, before: string, heat: Heat): NewEvent {
  const text = `${datasetId} is ${heat.class} now, it was ${before}: ${heat.reason}`;
  return { type: 'dataset.heat-changed', severity: 'info', text, ids: { datasetId, from: before, to: heat.class, score: heat.score }, by: 'control-plane' };
}

/** Send readers to a good copy where the primary can not be read any more. */
export async function promoteCopies(write: LeaderWrite, snapshot: FleetSnapshot): Promise<void> {
  const health = targetHealth(snapshot);
  for (const one of await inSlices(snapshot.datasets, (facts) => datasetPromotion(snapshot, facts, health)))
    await write(async (tx, nowMs) => void (await insertPromotionJob(tx, one.toReplicaId, one.reason, 'replace-bad-copy', nowMs)));
}

/**
 * The hash of what makes another plan worth while: while it stays the same, a new plan would say the same. Fill levels and measured speeds are left to the periodic plan,
 * or every measurement would make one.
 */
export async function planTrigger({ snapshot, heats, needs }: Picture): Promise<string> {
  const health = targetHealth(snapshot);
  const hash = createHash('sha256');
  const policies = new Map<Policy, string>();
  const policyText = (policy: Policy): string => {
    const known = policies.get(policy) ?? JSON.stringify(policy);
    policies.set(policy, known);
    return known;
  };
  hash.update(JSON.stringify([snapshot.jobs.length, needs.length]));
  for (const need of needs) hash.update(JSON.stringify([need.kind, need.datasetId, need.replicaId]));
  await inSlices(snapshot.datasets, ({ datasetId, rev, versionId, policy, replicas }) => {
    const copies = replicas.map((copy) => [copy.replicaId, copy.state]);
    hash.update(JSON.stringify([datasetId, rev, versionId, heats.get(datasetId)?.class, copies]) + policyText(policy));
    return [];
  });
  for (const { targetId, prices, tier } of snapshot.targets) {
    const place = health.get(targetId);
    hash.update(JSON.stringify([targetId, prices, tier, place?.takesData, place?.drain, place?.counts]));
  }
  return hash.digest('hex');
}

/**
 * Solve, admit what may be admitted on a fresh look at the fleet, and keep the plan. A dry run admits nothing.
 *
 * @param before what to solve, where somebody has just looked
 */
export async function makePlan(
  parts: LoopParts,
  write: LeaderWrite,
  wanted: { dryRun: boolean; datasetIds: ReadonlySet<DatasetId> | null },
  before?: Picture,
): Promise<PlanView> {
  const seen = before ?? (await picture(await loadSnapshot(parts.store), parts));
  const made = await parts.solve(seen.snapshot, seen.needs, seen.heats, wanted.datasetIds);
  const { decisions } = parts.settings;
  const fresh = await loadSnapshot(parts.store);
  const replaced = wanted.dryRun ? await replacedPreviews(parts.store.db, wanted.datasetIds, fresh.takenAtMs) : new Set<PlanId>();
  const mine = withoutHolds(fresh, (hold) => hold.untilMs !== null && replaced.has(hold.planId));
  const admissions = admitPlan(atWork(mine), made, decisions.limits, decisions);
  // This and the next take some ten milliseconds each for thousands of moves.
  await nextTurn();
  const basis = planBasisOf(seen.snapshot, seen.heats, made.moves, decisions);
  await nextTurn();
  const planId = ulid(made.madeAtMs, systemRandom) as PlanId;
  return write(async (tx, nowMs) => {
    const jobs = wanted.dryRun ? new Map<Move, JobId>() : await insertAdmitted(tx, fresh, admissions, planId, nowMs);
    const settled = admissions.map((one) =>
      one.verdict === 'admitted' && !wanted.dryRun && !jobs.has(one.move)
        ? { ...one, verdict: 'held' as const, heldBecause: 'a job for it is under way' }
        : one,
    );
    const drawn = planViewOf(planId, made, settled, jobs, wanted.dryRun ? 'preview' : 'current', wanted.datasetIds);
    const { view, isNew } = await savePlan(tx, drawn, { basis, heldUntilMs: nowMs + decisions.roomHeldMs }, nowMs);
    if (!wanted.dryRun && isNew) await tellPlan(tx, view, nowMs);
    if (!wanted.dryRun && wanted.datasetIds === null) await keepShadowPrices(tx, made.shadowPrices);
    if (!wanted.dryRun) await tellInfeasible(tx, view, nowMs);
    return view;
  });
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
