import { createHash } from 'node:crypto';
import type { PlanView } from '@data-in-motion/shared/api/decisions';
import { type Heat, heatWindows } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, JobId, PlanId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { eq } from 'drizzle-orm';
import type { HeatSettings, RiskSettings } from '../fleet/decision-settings.ts';
import { indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { changedEvacuations } from '../health/evacuations.ts';
import { targetHealth } from '../health/target-health.ts';
import { classifyHeat } from '../heat/classify-heat.ts';
import { type Admission, admitPlan } from '../jobs/admit.ts';
import type { Move } from '../placement/plan.ts';
import { datasetNeeds, mostUrgentFirst, type Need } from '../reconcile/needs.ts';
import { datasetPromotion } from '../reconcile/promotions.ts';
import { endAlert, raiseAlert } from '../store/alerts.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/events.ts';
import { keepHeats } from '../store/heats.ts';
import { insertCopyJob, insertPromotionJob, insertRetireJob } from '../store/jobs.ts';
import { keepEvacuation } from '../store/leaving-devices.ts';
import { loadSnapshot } from '../store/load-snapshot.ts';
import { markApplied, moveOf, planViewOf, readPlan, type StoredMove, type StoredPlan, savePlan } from '../store/plans.ts';
import { alert } from '../store/schema.ts';
import { inSlices } from './in-slices.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';

/** What a pass sees: one snapshot, how hot everything is, and what is needed. */
export interface Picture {
  readonly snapshot: FleetSnapshot;
  readonly heats: ReadonlyMap<DatasetId, Heat>;
  readonly needs: readonly Need[];
}

export async function picture(snapshot: FleetSnapshot, { settings: { decisions } }: Pick<LoopParts, 'settings'>): Promise<Picture> {
  const heats = new Map(await inSlices(snapshot.datasets, (facts) => [[facts.datasetId, classifyHeat(facts, snapshot.takenAtMs, decisions.heat)] as const]));
  const health = targetHealth(snapshot, decisions);
  const needs = await inSlices(snapshot.datasets, (facts) => datasetNeeds(snapshot, facts, health));
  return { snapshot, heats, needs: mostUrgentFirst(needs, heats) };
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
  const reclassed = snapshot.datasets.filter((facts) => heats.get(facts.datasetId)!.class !== facts.heatClass);
  const aged = snapshot.datasets
    .filter((facts) => heats.get(facts.datasetId)!.class === facts.heatClass && snapshot.takenAtMs - facts.heatDecidedAtMs! >= keptFor(facts, coldAfterMs))
    .sort((a, b) => a.heatDecidedAtMs! - b.heatDecidedAtMs!);
  // What only grew old waits for its turn, the oldest first: all of a large fleet grows old in the same moment.
  const changed = [...reclassed, ...aged.slice(0, heatsAtOnce)];
  for (let at = 0; at < changed.length; at += heatsAtOnce) {
    const slice = changed.slice(at, at + heatsAtOnce);
    await write(async (tx, nowMs) => {
      await keepHeats(tx, new Map(slice.map(({ datasetId }) => [datasetId, heats.get(datasetId)!])));
      for (const { datasetId, heatClass } of slice) {
        const heat = heats.get(datasetId)!;
        if (heatClass !== null && heatClass !== heat.class) await tellHeat(tx, datasetId, heatClass, heat, nowMs);
      }
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

async function tellHeat(tx: Tx, datasetId: DatasetId, before: string, heat: Heat, nowMs: number): Promise<void> {
  const text = `${datasetId} is ${heat.class} now, it was ${before}: ${heat.reason}`;
  await appendEvents(tx, nowMs, [
    { type: 'dataset.heat-changed', severity: 'info', text, ids: { datasetId, from: before, to: heat.class, score: heat.score }, by: 'control-plane' },
  ]);
}

/** Send readers to a good copy where the primary can not be read any more. */
export async function promoteCopies(write: LeaderWrite, snapshot: FleetSnapshot): Promise<void> {
  const health = targetHealth(snapshot);
  for (const one of await inSlices(snapshot.datasets, (facts) => datasetPromotion(snapshot, facts, health)))
    await write(async (tx, nowMs) => void (await insertPromotionJob(tx, one.toReplicaId, one.reason, 'replace-bad-copy', nowMs)));
}

/**
 * The hash of what a plan depends on: while it stays the same, a new plan would say the same. Fill levels and measured speeds are left to the periodic plan,
 * or every measurement would make one.
 */
export async function planBasis({ snapshot, heats, needs }: Picture): Promise<string> {
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

/** Solve, admit what may be admitted on a fresh look at the fleet, and keep the plan. A dry run admits nothing. @returns also what the plan was made from, see `planBasis` */
export async function makePlan(
  parts: LoopParts,
  write: LeaderWrite,
  wanted: { dryRun: boolean; datasetIds: ReadonlySet<DatasetId> | null },
): Promise<{ plan: PlanView; basis: string }> {
  const seen = await picture(await loadSnapshot(parts.store), parts);
  const made = await parts.solve(seen.snapshot, seen.needs, seen.heats, wanted.datasetIds);
  const fresh = await loadSnapshot(parts.store);
  const admissions = admitPlan(atWork(fresh), made, parts.settings.decisions.limits, parts.settings.decisions);
  const planId = ulid(made.madeAtMs, systemRandom) as PlanId;
  const plan = await write(async (tx, nowMs) => {
    const jobs = wanted.dryRun ? new Map<Move, JobId>() : await insertAdmitted(tx, fresh, admissions, planId, nowMs);
    const settled = admissions.map((one) =>
      one.verdict === 'admitted' && !wanted.dryRun && !jobs.has(one.move)
        ? { ...one, verdict: 'held' as const, heldBecause: 'a job for it is under way' }
        : one,
    );
    const { view, isNew } = await savePlan(tx, planViewOf(planId, made, settled, jobs, wanted.dryRun ? 'preview' : 'current', wanted.datasetIds), nowMs);
    if (!wanted.dryRun && isNew) await tellPlan(tx, view, nowMs);
    if (!wanted.dryRun) await tellInfeasible(tx, view, nowMs);
    return view;
  });
  return { plan, basis: await planBasis(seen) };
}

/**
 * The fleet with only those jobs that keep agents busy: one whose switch is made only waits for readers and for the trash time, for days, and would
 * use up the limits meanwhile. Its key still keeps it from being planned twice.
 */
function atWork(snapshot: FleetSnapshot): FleetSnapshot {
  return { ...snapshot, jobs: snapshot.jobs.filter((one) => !['switched', 'grace', 'retiring'].includes(one.state)) };
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

async function insertMove(tx: Tx, snapshot: FleetSnapshot, move: Move, planId: PlanId, nowMs: number): Promise<JobId | null> {
  const facts = indexOf(snapshot).datasets.get(move.datasetId as DatasetId);
  if (facts === undefined || facts.versionId === null) return null;
  const { datasetId, sizeBytes, need, reason, deviceId, priority } = move;
  const work = { datasetId, versionId: facts.versionId, sizeBytes, need, reason, planId, deviceId, priority, nowMs };
  if (move.action === 'retire') return move.fromReplicaId === null ? null : insertRetireJob(tx, { ...work, replicaId: move.fromReplicaId });
  if (move.toTargetId === null) return null;
  return insertCopyJob(tx, { ...work, toTargetId: move.toTargetId, replaces: move.action === 'move' ? move.fromReplicaId : null });
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

/**
 * Make the moves of a plan as a person saw them. Refused as stale when a copy, a version or a place it speaks of is not what it was;
 * limits only pace the jobs, so here they hold nothing back.
 */
export async function applyPlan(parts: LoopParts, write: LeaderWrite, planId: PlanId): Promise<{ jobs: JobId[] } | { stale: string }> {
  const view = await readPlan(parts.store.db, planId);
  if (view === undefined) return { stale: 'there is no such plan any more' };
  if (view.state === 'applied') return { stale: 'it was applied before' };
  const snapshot = await loadSnapshot(parts.store);
  const open = view.moves.filter((move) => move.jobId === null);
  const stale = open.map((move) => staleBecause(snapshot, move, view.madeAtMs)).find((because) => because !== null);
  if (stale !== undefined) return { stale: stale! };
  const admissions = admitPlan(willing(snapshot), { moves: open.map(moveOf) }, noLimits);
  const held = admissions.find((one) => one.verdict === 'held');
  if (held !== undefined) return { stale: `${held.move.datasetId}: ${held.heldBecause}` };
  return write(async (tx, nowMs) => {
    const made = await insertAdmitted(tx, snapshot, admissions, planId, nowMs);
    const jobs = new Map(admissions.flatMap(({ move }, i) => (made.has(move) ? [[open[i]!.moveId, made.get(move)!] as const] : [])));
    await markApplied(tx, view, jobs);
    return { jobs: [...jobs.values()] };
  });
}

const noLimits = { underWayPerNode: Infinity, underWayInFleet: Infinity, newPerPass: Infinity, evacuatingAtOnce: Infinity };

/** A person who applies a plan has decided: neither advisory mode nor the cutoff of the forecast holds its moves back. */
function willing(snapshot: FleetSnapshot): FleetSnapshot {
  return { ...snapshot, datasets: snapshot.datasets.map((facts) => ({ ...facts, policy: { ...facts.policy, mode: 'automated', probabilityCutoff: 0 } })) };
}

function staleBecause(snapshot: FleetSnapshot, move: StoredMove, madeAtMs: number): string | null {
  const facts = indexOf(snapshot).datasets.get(move.datasetId as DatasetId);
  if (facts === undefined) return `${move.datasetId} is gone`;
  const copy = facts.replicas.find((one) => one.replicaId === move.fromReplicaId);
  if (move.fromReplicaId !== null && (copy === undefined || ['retiring', 'trashed'].includes(copy.state)))
    return `the copy of ${move.datasetId} on ${move.fromTargetId} is not there any more`;
  if (facts.replicas.some((one) => one.createdAtMs > madeAtMs)) return `the copies of ${move.datasetId} have changed since the plan was made`;
  return null;
}
