import type { Clock } from '@data-in-motion/shared/clock';
import type { FaultHooks } from '@data-in-motion/shared/domain/fault-hooks';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { asFailure, type Failure, wordsOf } from '@data-in-motion/shared/failure';
import type { DesiredDocument, Order } from '@data-in-motion/shared/protocol/messages';
import type { AgentRecord, RecordOf } from '@data-in-motion/shared/protocol/records';
import type { Random } from '@data-in-motion/shared/random';
import { engine } from '../engine/engine.ts';
import type { Journal } from '../journal/journal.ts';
import { type MigrationsJournal, openMigrationsJournal, type WorkKey } from '../journal/migrations-journal.ts';
import type { Tell } from '../journal/outbox.ts';
import type { ServedSource } from '../transfer/serve-replicas.ts';
import type { TransferGrant } from '../transfer/transfer-token.ts';
import { ByteBudget } from './byte-budget.ts';
import { classifyError } from './error-class.ts';
import { LeafBuffers } from './leaf-buffers.ts';
import { inventoryOf, listTarget } from './list-target.ts';
import { defaultMoverSettings, type MoverSettings } from './mover-settings.ts';
import { OrderMemory } from './order-memory.ts';
import { Rooms } from './room.ts';
import { SourceOpener } from './serve-source.ts';
import { SmallFileThreads } from './small-files.ts';
import type { StepParts, StepRun } from './step-parts.ts';
import { activate, witness } from './steps/activate.ts';
import { copy } from './steps/copy.ts';
import { purge } from './steps/purge.ts';
import { retire } from './steps/retire.ts';
import { scan } from './steps/scan.ts';
import { sweep } from './steps/sweep.ts';
import { verify } from './steps/verify.ts';
import { absentBecause } from './target-layout.ts';
import { tellProgress } from './tell-progress.ts';
import { Throttle } from './throttle.ts';
import { WorkQueue } from './work-queue.ts';

export interface MigratorParts {
  readonly nodeId: string;
  readonly targets: readonly TargetDescription[];
  /** Directories of the host below which datasets may be imported. */
  readonly importRoots: readonly string[];
  readonly stateDirectory: string;
  readonly journal: Journal;
  readonly tell: Tell;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: FaultHooks;
  readonly settings: Partial<MoverSettings>;
}

/**
 * Carries out the orders of an agent, by level: the newest document says all that should be going on, and this makes it so.
 * What is asked for again after it ended is told again, not done again; a job that is not in the document any more is stopped.
 * Nothing runs before the first document: what was going on is in the orders, and how far it was is in the journal and on the disks.
 */
export class Migrator {
  readonly #parts: StepParts;
  readonly #tell: Tell;
  readonly #journal: MigrationsJournal;
  readonly #queue: WorkQueue;
  readonly #sources: SourceOpener;
  readonly #memory: OrderMemory;
  #sweeping: Promise<void> = Promise.resolve();
  #sweptAtMs: number | null = null;
  #isStopped = false;

  constructor(parts: MigratorParts) {
    const settings = { ...defaultMoverSettings, ...parts.settings };
    const journal = openMigrationsJournal(parts.journal, () => parts.clock.nowMs());
    this.#journal = journal;
    this.#tell = parts.tell;
    this.#queue = new WorkQueue(settings.parallelJobs);
    this.#memory = new OrderMemory(parts.clock, settings.retellEveryMs);
    this.#parts = {
      ...parts,
      journal,
      settings,
      budget: new ByteBudget(settings.budgetBytes),
      buffers: new LeafBuffers(),
      small: new SmallFileThreads(),
      rooms: new Rooms(),
      throttle: new Throttle(settings.bytesPerSecPerTarget, parts.clock),
      noteOwnRead: (replicaId) => this.#memory.noteOwnRead(replicaId),
    };
    this.#sources = new SourceOpener(this.#parts);
  }

  /** Start, continue and stop work so that it matches the document's orders. Returns at once. */
  reconcile(document: DesiredDocument): void {
    if (this.#isStopped) return;
    const works = new Set(document.orders.map((order) => keyText(workKey(order))));
    this.#queue.keepOnly(works);
    for (const order of document.orders) this.#take(order);
    this.#memory.forgetExcept(document, works);
    this.#sweepNowAndThen(new Set(document.liveJobs));
  }

  /** What lies on each target, complete; a target that could not be listed to its end is left out. */
  async inventory(): Promise<RecordOf<'inventory'>[]> {
    const records: RecordOf<'inventory'>[] = [];
    for (const target of this.#parts.targets) {
      try {
        records.push(inventoryOf(target, await listTarget(target, this.#journal), this.#parts.clock.nowMs()));
      } catch (thrown) {
        this.#note('target.not-listed', asFailure(thrown), { targetId: target.targetId });
      }
    }
    return records;
  }

  /** Why a target is not there, for people; null when it is. @throws what the system says of a root that can not be opened */
  absentBecause(target: TargetDescription): Promise<string | null> {
    return absentBecause(target, this.#journal);
  }

  /** When the mover itself last read a replica's files; file times up to then say nothing about applications. Null when it did not. */
  lastOwnReadAtMs(replicaId: string): number | null {
    return this.#memory.lastOwnReadAtMs(replicaId);
  }

  /** What the transfer server reads from. @throws Failure `refused` (`source.gone`), `unavailable` (`target.not-mounted`) */
  openSource(source: TransferGrant['source'], signal: AbortSignal): Promise<ServedSource> {
    return this.#sources.open(source, signal);
  }

  /** Certificates of switches that this agent witnessed: what a control plane that was restored from a backup may have forgotten. */
  certificates(): ReturnType<MigrationsJournal['certificates']> {
    return this.#journal.certificates();
  }

  /** Ends after what runs has come to a safe place. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#queue.close();
    await this.#sweeping;
    await this.#parts.small.close();
  }

  #take(order: Order): void {
    const key = workKey(order);
    const text = keyText(key);
    if (this.#queue.has(text)) return;
    const told = this.#journal.outcome(key);
    if (told !== undefined) {
      if (this.#memory.mayTellAgain(text)) this.#tell(told, 'now');
      return;
    }
    this.#memory.see(order);
    const isHeavy = order.kind !== 'activate' && order.kind !== 'witness';
    this.#queue.add({ key: text, claims: claimsOf(order), isHeavy, run: (signal) => engine.atWork(() => this.#carryOut(order, key, signal)) });
  }

  async #carryOut(order: Order, key: WorkKey, signal: AbortSignal): Promise<void> {
    const told: AgentRecord[] = [];
    const report = (...records: AgentRecord[]): void => {
      told.push(...records);
      this.#tell(records, 'now');
    };
    const run: StepRun = { jobId: order.jobId, epoch: order.epoch, signal, report, progress: tellProgress(order, this.#tell, this.#parts) };
    try {
      await this.#step(order, run);
    } catch (thrown) {
      if (!signal.aborted) this.#tellFailure(order, key, thrown, told, report);
      return;
    }
    this.#orNote(order, () => this.#journal.end(key, told));
  }

  #tellFailure(order: Order, key: WorkKey, thrown: unknown, told: readonly AgentRecord[], report: StepRun['report']): void {
    const failure = asFailure(thrown);
    const error = classifyError(thrown);
    // In both cases the next document brings the order again: the permit holds, and what was done stays as it is.
    if (error.code === 'purge.in-use') this.#tellWaiting(order, keyText(key), failure);
    else if (error.code === 'journal.disk-full') this.#noteFull(order, failure);
    else
      this.#orNote(order, () => {
        report({ type: 'job', jobId: order.jobId, epoch: order.epoch, atMs: this.#parts.clock.nowMs(), event: 'failed', ...error });
        this.#journal.end(key, told);
      });
  }

  /** What can not be written down because the disk is full did not happen: the next document brings the order again. */
  #orNote(order: Order, writeDown: () => void): void {
    try {
      writeDown();
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.kind !== 'exhausted') throw thrown;
      this.#noteFull(order, failure);
    }
  }

  /** Once, however often the order comes again: a note waits in the same memory as all that is measured meanwhile. */
  #noteFull(order: Order, failure: Failure): void {
    if (this.#memory.isNewReason(keyText(workKey(order)), failure.message)) this.#note(failure.code, failure, { jobId: order.jobId });
  }

  #step(order: Order, run: StepRun): Promise<unknown> {
    switch (order.kind) {
      case 'scan':
        return scan(order, this.#parts, run);
      case 'copy':
        return copy(order, this.#parts, run);
      case 'activate':
        return activate(order, this.#parts, run);
      case 'witness':
        return witness(order, this.#parts, run);
      case 'verify':
        return verify(order, this.#parts, run);
      case 'retire':
        return retire(order, this.#memory.permitOf(order), this.#parts, run);
      case 'purge':
        return purge(order, this.#memory.permitOf(order), this.#parts, run);
    }
  }

  /** Once for each reason, however often the order comes again meanwhile. */
  #tellWaiting(order: Order, key: string, { code, message, ids }: Failure): void {
    if (!this.#memory.isNewReason(key, message)) return;
    const about: Record<string, string> = 'target' in order ? { targetId: order.target.targetId, replicaId: order.target.replicaId } : {};
    const note = { severity: 'info' as const, code, message: `a copy is not deleted yet: ${message}`, ids: { ...ids, ...about, jobId: order.jobId } };
    this.#tell([{ type: 'note', atMs: this.#parts.clock.nowMs(), ...note }], 'soon');
  }

  #sweepNowAndThen(liveJobs: ReadonlySet<string>): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#sweptAtMs !== null && nowMs - this.#sweptAtMs < this.#parts.settings.sweepEveryMs) return;
    this.#sweptAtMs = nowMs;
    this.#sweeping = this.#sweeping.then(() => this.#sweep(liveJobs));
  }

  async #sweep(liveJobs: ReadonlySet<string>): Promise<void> {
    if (this.#isStopped) return;
    try {
      await sweep(liveJobs, this.#parts);
    } catch (thrown) {
      this.#note('sweep.failed', asFailure(thrown), {});
    }
  }

  #note(code: string, failure: Failure, ids: Record<string, string>): void {
    this.#tell([{ type: 'note', atMs: this.#parts.clock.nowMs(), severity: 'warning', code, message: wordsOf(failure).slice(0, 1_000), ids }], 'soon');
  }
}

function workKey(order: Order): WorkKey {
  return { jobId: order.jobId, epoch: order.epoch, kind: order.kind };
}

function keyText(key: WorkKey): string {
  return `${key.jobId}/${key.epoch}/${key.kind}`;
}

function claimsOf(order: Order): string[] {
  const place = 'destination' in order ? order.destination : 'target' in order ? order.target : null;
  return [`job/${order.jobId}`, ...(place === null ? [] : [`${place.targetId}/${place.replicaId}`])];
}
