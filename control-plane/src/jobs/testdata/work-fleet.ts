import type { JobId, PlanId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { type Random } from '@data-in-motion/shared/random';
import type { DecisionSettings } from '../../fleet/decision-settings.ts';
import { domainOf, indexOf } from '../../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, JobFacts, ReplicaFacts } from '../../fleet/snapshot.ts';
import { targetHealth } from '../../health/target-health.ts';
import { fleetHeats } from '../../heat/classify-heat.ts';
import type { Move } from '../../placement/plan.ts';
import { planBasisOf } from '../../placement/plan-basis.ts';
import { violationsOfExistingCopy } from '../../policy/violations.ts';
import { copiesOf } from '../../reconcile/copies.ts';
import { advancePlan, type OwnJob, type PlanWork, type WorkMove } from '../advance-plan.ts';
import { atWork } from '../at-work.ts';
import { type CopyFacts, protocolGuards } from '../guards.ts';

const planId = 'the-plan' as PlanId;

/**
 * A fleet in plain data that carries out a plan with `advancePlan`: jobs take their time, end well or are given up by chance, and old copies leave by the
 * guards that hold for permits. What left lies in the trash, so no byte is ever freed.
 */
export class WorkFleet {
  snapshot: FleetSnapshot;
  work: PlanWork;
  /** Moves in the order in which they were begun. */
  readonly begun: Move[] = [];
  readonly #random: Random;
  readonly #failing: number;
  readonly #settings: DecisionSettings;
  readonly #jobs = new Map<JobId, OwnJob>();

  constructor(snapshot: FleetSnapshot, moves: readonly Move[], settings: DecisionSettings, random: Random, failing: number) {
    this.snapshot = snapshot;
    this.#settings = settings;
    this.#random = random;
    this.#failing = failing;
    const basis = planBasisOf(snapshot, fleetHeats(snapshot, settings.heat), moves, settings);
    this.work = { planId, basis, stopped: false, movedAtMs: snapshot.takenAtMs, moves: moves.map((move, i) => ({ moveId: `m${i}`, move, stage: 'waiting', because: null, job: null })) };
    this.#hold();
  }

  /** Nothing waits and nothing is copied. A drop may wait for its permit for ever: until the others stand where policy wants them. */
  get isOver(): boolean {
    return this.work.moves.every(({ stage, move }) => stage !== 'waiting' && (stage !== 'running' || move.action === 'retire'));
  }

  /** One pass: the plan goes on, and then each of its jobs may. @returns what was begun */
  pass(): WorkMove[] {
    const { snapshot } = this;
    const advance = advancePlan(atWork(snapshot), fleetHeats(snapshot, this.#settings.heat), this.work, this.#settings);
    const begins = new Set(advance.start.map((each) => each.moveId));
    const moves = advance.moves.map((each) => (begins.has(each.moveId) ? this.#begin(each) : each));
    this.work = { ...this.work, moves, stopped: this.work.stopped || advance.differences.length > 0, movedAtMs: begins.size > 0 ? snapshot.takenAtMs : this.work.movedAtMs };
    this.begun.push(...advance.start.map(({ move }) => move));
    this.#hold();
    return [...advance.start];
  }

  /** Everybody works for a while. */
  doWork(): void {
    for (const job of this.snapshot.jobs) if (this.#jobs.has(job.jobId) && this.#random.next() < 0.6) this.#step(job);
    this.snapshot = { ...this.snapshot, takenAtMs: this.snapshot.takenAtMs + 1_000 };
    this.work = { ...this.work, moves: this.work.moves.map((each) => (each.job === null ? each : { ...each, job: this.#jobs.get(each.job.jobId)! })) };
  }

  #begin(each: WorkMove): WorkMove {
    const { move } = each;
    const target = indexOf(this.snapshot).targets.get((move.toTargetId ?? move.fromTargetId)!)!;
    const source = indexOf(this.snapshot).targets.get((move.readTargetId ?? move.fromTargetId)!);
    const jobId = `job-${each.moveId}` as JobId;
    const toReplicaId = move.toTargetId === null ? null : (`new-${each.moveId}` as ReplicaId);
    const replaced = move.action === 'copy' ? null : move.fromReplicaId;
    const facts: JobFacts = {
      jobId, key: jobId, datasetId: move.datasetId, purpose: move.action, state: move.action === 'retire' ? 'planned' : 'copying', fromReplicaId: replaced, fromTargetId: replaced === null ? null : move.fromTargetId, toReplicaId,
      toTargetId: move.toTargetId, moverNodeId: target.nodeId, sourceNodeId: source?.nodeId ?? null, sizeBytes: move.sizeBytes,
    };
    const job: OwnJob = { jobId, purpose: move.action, state: 'copying', fromReplicaId: replaced, toReplicaId };
    this.#jobs.set(jobId, job);
    this.snapshot = { ...this.snapshot, jobs: [...this.snapshot.jobs, facts] };
    if (toReplicaId !== null) {
      this.#changeDataset(move.datasetId, (dataset) => ({
        ...dataset,
        replicas: [...dataset.replicas, { replicaId: toReplicaId, versionId: dataset.versionId!, targetId: move.toTargetId!, state: 'joining', verifiedAtMs: null, createdAtMs: this.snapshot.takenAtMs }],
      }));
      this.#addBytes(move.toTargetId!, 0, move.sizeBytes);
    }
    return { ...each, stage: 'running', because: null, job };
  }

  #step(job: JobFacts): void {
    if (job.state !== 'grace' && this.#random.next() < this.#failing) this.#giveUp(job);
    else if (job.state === 'copying' && job.toReplicaId !== null) this.#arrive(job);
    else this.#leave(job);
  }

  #giveUp(job: JobFacts): void {
    this.#endJob(job, 'dead-letter');
    if (job.toReplicaId === null) return;
    // What was written lies there until it is cleared away.
    this.#addBytes(job.toTargetId!, job.sizeBytes, -job.sizeBytes);
    this.#changeDataset(job.datasetId, (dataset) => ({ ...dataset, replicas: dataset.replicas.filter((copy) => copy.replicaId !== job.toReplicaId) }));
  }

  #arrive(job: JobFacts): void {
    this.#addBytes(job.toTargetId!, job.sizeBytes, -job.sizeBytes);
    this.#changeDataset(job.datasetId, (dataset) => ({
      ...dataset,
      replicas: dataset.replicas.map((copy) => (copy.replicaId === job.toReplicaId ? { ...copy, state: 'verified', verifiedAtMs: this.snapshot.takenAtMs } : copy)),
      primaryReplicaId: job.purpose === 'move' && dataset.primaryReplicaId === job.fromReplicaId ? job.toReplicaId : dataset.primaryReplicaId,
    }));
    if (job.purpose === 'copy') this.#endJob(job, 'done');
    else this.#setJob(job, 'grace');
  }

  /** By the guard that every permit passes: enough others stay, as far apart as before. */
  #leave(job: JobFacts): void {
    const dataset = indexOf(this.snapshot).datasets.get(job.datasetId)!;
    const leaving = dataset.replicas.find((copy) => copy.replicaId === job.fromReplicaId)!;
    const others = dataset.replicas.filter((copy) => copy !== leaving);
    const objection = protocolGuards.enoughCopies({
      purpose: job.purpose, leaving: this.#copyFacts(dataset, leaving), leavingIsBad: leaving.state === 'corrupt' || leaving.state === 'missing', others: others.map((copy) => this.#copyFacts(dataset, copy)),
      pointer: { versionId: dataset.versionId!, replicaId: dataset.primaryReplicaId!, rev: 1 }, unreadable: 0, copiesWanted: dataset.policy.copies, arrived: job.toReplicaId, switchedAtMs: 0, readersLeftAtMs: 0, recheckedAtMs: 0, switchIsDurable: true,
      trashedAtMs: null, targetFrozen: false, graceMs: 0, trashMs: 0, nowMs: this.snapshot.takenAtMs,
    });
    if (objection !== null || dataset.primaryReplicaId === leaving.replicaId) return;
    this.#changeDataset(job.datasetId, (now) => ({ ...now, replicas: now.replicas.map((copy) => (copy.replicaId === leaving.replicaId ? { ...copy, state: 'trashed' } : copy)) }));
    this.#endJob(job, 'done');
  }

  #copyFacts(dataset: DatasetFacts, copy: ReplicaFacts): CopyFacts {
    const target = indexOf(this.snapshot).targets.get(copy.targetId)!;
    const health = targetHealth(this.snapshot).get(copy.targetId);
    const role = copy.replicaId === dataset.primaryReplicaId ? 'primary' : 'copy';
    return {
      replicaId: copy.replicaId, versionId: copy.versionId, targetId: copy.targetId, state: copy.state, verifiedRoot: 'r', verifiedLevel: copy.state === 'verified' ? 'L2' : null, verifiedAtMs: copy.verifiedAtMs,
      reliable: health?.counts === true && !health.drain, allowed: violationsOfExistingCopy(dataset.policy, target, role).length === 0, domain: domainOf(target, dataset.policy.spread),
    };
  }

  #setJob(job: JobFacts, state: JobFacts['state']): void {
    this.#jobs.set(job.jobId, { ...this.#jobs.get(job.jobId)!, state });
    this.snapshot = { ...this.snapshot, jobs: this.snapshot.jobs.map((one) => (one.jobId === job.jobId ? { ...one, state } : one)) };
  }

  #endJob(job: JobFacts, state: 'done' | 'dead-letter'): void {
    this.#jobs.set(job.jobId, { ...this.#jobs.get(job.jobId)!, state });
    this.snapshot = { ...this.snapshot, jobs: this.snapshot.jobs.filter((one) => one.jobId !== job.jobId) };
  }

  #changeDataset(datasetId: string, change: (dataset: DatasetFacts) => DatasetFacts): void {
    this.snapshot = { ...this.snapshot, datasets: this.snapshot.datasets.map((dataset) => (dataset.datasetId === datasetId ? change(dataset) : dataset)) };
  }

  #addBytes(targetId: TargetId, used: number, reserved: number): void {
    const targets = this.snapshot.targets.map((target) => (target.targetId === targetId ? { ...target, usedBytes: target.usedBytes + used, reservedBytes: target.reservedBytes + reserved } : target));
    this.snapshot = { ...this.snapshot, targets };
  }

  /** What the store would tell of the plan. */
  #hold(): void {
    const open = this.work.moves.filter(({ stage }) => stage === 'waiting' || stage === 'running');
    const bytes: Record<TargetId, number> = {};
    for (const { stage, move } of open) if (stage === 'waiting' && move.toTargetId !== null) bytes[move.toTargetId] = (bytes[move.toTargetId] ?? 0) + move.sizeBytes;
    this.snapshot = { ...this.snapshot, holds: open.length === 0 ? [] : [{ planId, untilMs: null, bytes, datasetIds: open.filter(({ stage, move }) => stage === 'waiting' || move.action !== 'retire').map(({ move }) => move.datasetId) }] };
  }
}

/** Verified copies of the present version that can be read, also on drives that are being emptied: when their turn comes is not the plan's doing. With the domains they stand in. */
export function standingOf(snapshot: FleetSnapshot, dataset: DatasetFacts): { copies: number; domains: number } {
  const fleet = indexOf(snapshot);
  const health = targetHealth(snapshot);
  // A job that will take a copy away has not taken it yet.
  const { counted, leaving } = copiesOf({ ...snapshot, jobs: [] }, dataset, health);
  const standing = [...new Set([...counted, ...leaving])];
  return { copies: standing.length, domains: new Set(standing.map((copy) => domainOf(fleet.targets.get(copy.targetId)!, dataset.policy.spread))).size };
}
