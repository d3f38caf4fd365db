import type { JobId, NodeId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { withHeldRoom } from '../fleet/plan-holds.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { chooseImportTarget } from '../placement/choose-import-target.ts';
import { raiseAlert } from '../store/alerts.ts';
import type { Tx } from '../store/database.ts';
import { changeJob, type JobRow, lockJob, waitingStates, workingStates } from '../store/job-rows.ts';
import { distrustedSinceMs } from '../store/leader.ts';
import { awaitPlace, awaitsDestination, endLostSwitch, giveDestination, leaseJob, releaseIfLapsed, settleLost } from '../store/leases.ts';
import { grantPurge, grantRetire, type PermitOutcome, type PermitSettings, reviewRetire } from '../store/permits.ts';
import { switchJob } from '../store/pointers.ts';
import { datasetVersion, job } from '../store/schema.ts';
import { type LeaderWrite, type LoopParts, tolerate } from './parts.ts';

/**
 * Take every job as far as it goes without its agent: leases and their end, places for imports, switches, permits. Each step is a transaction of its own.
 * Answers whether anything moved; the loop then looks once more, since one step makes room for the next.
 */
export async function stepJobs(parts: LoopParts, write: LeaderWrite, snapshot: () => Promise<FleetSnapshot>): Promise<boolean> {
  const nowMs = await parts.store.nowMs();
  const rows = await parts.store.db.select().from(job).where(eq(job.active, true)).orderBy(job.priority, job.jobId);
  const running = runningCounts(rows);
  const steps = rows.map((row) => ({ row, step: stepOf(parts, row, nowMs, running) }));
  let moved = false;
  for (const { row, step } of steps) {
    if (step === null) continue;
    await tolerate(parts, async () => {
      if (await takeStep(parts, write, snapshot, row, step)) moved = true;
    });
  }
  return moved;
}

type Step = 'lost-or-lapsed' | 'end-lost' | 'place' | 'lease' | 'queue' | 'switch' | 'durable' | 'retire' | 'review' | 'purge';

/** What the control plane may have to do for a job now, by its row alone; the transaction looks again. */
function stepOf(parts: LoopParts, row: JobRow, nowMs: number, running: Running): Step | null {
  const { graceMs, trashMs } = parts.settings;
  const isDue = row.notBeforeMs === null || row.notBeforeMs <= nowMs;
  if (awaitsDestination(row)) return 'place';
  if (workingStates.includes(row.state)) return 'lost-or-lapsed';
  if (waitingStates.includes(row.state)) {
    if (!isDue) return null;
    if (row.purpose === 'retire') return 'retire';
    return running.takes(row, parts.settings) ? 'lease' : row.waitingBecause === queuedBecause(row, parts.settings) ? null : 'queue';
  }
  switch (row.state) {
    case 'verified':
      return 'switch';
    case 'switched':
      return row.purpose === 'move' ? 'durable' : 'end-lost';
    case 'grace':
      if (!isDue || nowMs < (row.switchedAtMs ?? 0) + graceMs) return null;
      return row.recheckedAtMs !== null ? 'retire' : 'end-lost';
    case 'retiring':
      return 'review';
    case 'trashed':
      return isDue && nowMs >= (row.trashedAtMs ?? 0) + trashMs ? 'purge' : null;
    default:
      return null;
  }
}

async function takeStep(parts: LoopParts, write: LeaderWrite, snapshot: () => Promise<FleetSnapshot>, row: JobRow, step: Step): Promise<boolean> {
  const { settings, signingKey } = parts;
  const { jobId } = row;
  switch (step) {
    case 'lost-or-lapsed':
      return write(async (tx, atMs) => (await settleLost(tx, jobId, atMs)) || (await releaseIfLapsed(tx, jobId, settings.leaseMs, atMs)));
    case 'lease':
      return write(async (tx, atMs) => (await settleLost(tx, jobId, atMs)) || (await leaseJob(tx, jobId, settings.leaseMs, atMs)));
    case 'queue':
      return write((tx, atMs) => sayQueued(tx, jobId, queuedBecause(row, settings), atMs));
    case 'place':
      return placeImport(parts, write, await snapshot(), row);
    case 'switch':
      return (await write((tx, atMs) => switchJob(tx, jobId, signingKey, atMs))) !== 'not-ready';
    case 'durable':
      return write(async (tx, atMs) => (await endLostSwitch(tx, jobId, atMs)) || (await beginGrace(parts, tx, row, atMs)));
    case 'end-lost':
      return write((tx, atMs) => endLostSwitch(tx, jobId, atMs));
    case 'retire':
    case 'review':
    case 'purge':
      return write(async (tx, atMs) => moves(await letLeave(parts, tx, jobId, step, atMs)));
  }
}

async function letLeave(parts: LoopParts, tx: Tx, jobId: JobId, step: 'retire' | 'review' | 'purge', atMs: number): Promise<PermitOutcome | null> {
  const against = await storeObjection(parts, tx, atMs);
  if (step === 'review') return reviewRetire(tx, jobId, permitSettings(parts), against, atMs);
  if (step === 'purge') return grantPurge(tx, jobId, permitSettings(parts), against, atMs);
  if ((await settleLost(tx, jobId, atMs)) || (await endLostSwitch(tx, jobId, atMs))) return { kind: 'ended', because: 'a node of it is lost' };
  return against === null ? grantRetire(tx, jobId, permitSettings(parts), atMs) : null;
}

/** Whether a permit's answer makes room for another step. */
function moves(outcome: PermitOutcome | null): boolean {
  return outcome?.kind === 'granted' || outcome?.kind === 'ended';
}

/** Nothing is let go by a store that may have lost switches. */
async function storeObjection(parts: LoopParts, tx: Tx, atMs: number): Promise<string | null> {
  const distrusted = await distrustedSinceMs(tx, parts.store.storeEpoch, atMs);
  return distrusted !== null && atMs < distrusted + parts.settings.distrustMs ? 'the store may have lost commits' : null;
}

/** T9: from here on the switch can not be lost, and the readers' time runs. The new epoch keeps a late report of the copying from passing for the check after the switch. */
async function beginGrace(parts: LoopParts, tx: Tx, seen: JobRow, nowMs: number): Promise<boolean> {
  const row = await lockJob(tx, seen.jobId);
  if (row?.state !== 'switched' || row.activatedAtMs === null) return false;
  if (row.witnessedAtMs === null && parts.store.durability !== 'commit') return false;
  await changeJob(tx, row, ['durable'], { epoch: row.epoch + 1, attempt: 0, waitingBecause: null, notBeforeMs: null }, nowMs);
  return true;
}

function permitSettings({ settings, store }: LoopParts): PermitSettings {
  return { graceMs: settings.graceMs, trashMs: settings.trashMs, freshMs: 2 * settings.scrubEveryMs, commitsAreDurable: store.durability === 'commit' };
}

async function placeImport(parts: LoopParts, write: LeaderWrite, snapshot: FleetSnapshot, row: JobRow): Promise<boolean> {
  const dataset = snapshot.datasets.find((facts) => facts.datasetId === row.datasetId);
  const [version] = await parts.store.db.select().from(datasetVersion).where(eq(datasetVersion.versionId, row.versionId!));
  if (dataset === undefined || version === undefined || row.importSource === null) return false;
  const tree = { sizeBytes: version.sizeBytes, objects: version.objects, sourceNodeId: row.importSource.nodeId };
  // Room that is held for a plan only where there is no other: new data is worth more than what the plan saves.
  const beside = chooseImportTarget(withHeldRoom(snapshot), dataset, tree);
  const choice = 'targetId' in beside ? beside : chooseImportTarget(snapshot, dataset, tree);
  if ('targetId' in choice) return write((tx, atMs) => giveDestination(tx, row.jobId, choice.targetId, parts.settings.leaseMs, atMs));
  const because = `no place is allowed for it (${choice.infeasible.rules.join(', ')}). ${choice.infeasible.cheapestWayOut}`;
  if (row.waitingBecause === because) return false;
  await write(async (tx, atMs) => {
    await awaitPlace(tx, row.jobId, because, atMs);
    await raiseAlert(tx, atMs, {
      rule: 'import.no-place',
      subject: row.jobId,
      severity: 'warning',
      text: `${row.datasetId} can not be imported: ${because}`,
      ids: { jobId: row.jobId, datasetId: row.datasetId },
    });
  });
  return false;
}

interface Limits {
  readonly runningPerNode: number;
  readonly runningInFleet: number;
}

/** In words that stay the same while a job waits, so that they are written once. */
function queuedBecause(row: JobRow, { runningPerNode, runningInFleet }: Limits): string {
  return `its turn has not come: at most ${runningPerNode} jobs run on ${row.moverNodeId} at a time, ${runningInFleet} in the fleet`;
}

/** Nothing moves by it, so the loop need not look again. */
async function sayQueued(tx: Tx, jobId: JobId, because: string, nowMs: number): Promise<false> {
  const row = await lockJob(tx, jobId);
  if (row !== undefined && waitingStates.includes(row.state)) await changeJob(tx, row, [], { waitingBecause: because }, nowMs);
  return false;
}

interface Running {
  takes(row: JobRow, limits: Limits): boolean;
}

/** How many jobs each agent works at; what is taken in this pass counts at once. */
function runningCounts(rows: readonly JobRow[]): Running {
  const perNode = new Map<NodeId, number>();
  let inFleet = 0;
  const count = (row: JobRow): void => {
    perNode.set(row.moverNodeId, (perNode.get(row.moverNodeId) ?? 0) + 1);
    inFleet++;
  };
  for (const row of rows) if (workingStates.includes(row.state)) count(row);
  return {
    takes(row, limits) {
      if (inFleet >= limits.runningInFleet || (perNode.get(row.moverNodeId) ?? 0) >= limits.runningPerNode) return false;
      count(row);
      return true;
    },
  };
}
