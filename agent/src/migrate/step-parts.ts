import type { Clock } from '@data-in-motion/shared/clock';
import type { FaultHooks } from '@data-in-motion/shared/domain/fault-hooks';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { Failure } from '@data-in-motion/shared/failure';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import type { Random } from '@data-in-motion/shared/random';
import type { MigrationsJournal } from '../journal/migrations-journal.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { LeafBuffers } from './leaf-buffers.ts';
import type { MoverSettings } from './mover-settings.ts';
import type { Rooms } from './room.ts';
import type { SmallFileThreads } from './small-files.ts';
import type { Throttle } from './throttle.ts';

/** What every step works with: the node's places and the few things that reach outside. */
export interface StepParts {
  readonly nodeId: string;
  readonly targets: readonly TargetDescription[];
  readonly importRoots: readonly string[];
  readonly stateDirectory: string;
  readonly journal: MigrationsJournal;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: FaultHooks;
  readonly settings: MoverSettings;
  readonly budget: ByteBudget;
  readonly buffers: LeafBuffers;
  readonly small: SmallFileThreads;
  readonly rooms: Rooms;
  readonly throttle: Throttle;
  /** The mover itself read a replica's files just now: such accesses are not the applications'. */
  readonly noteOwnRead: (replicaId: string) => void;
}

/** One order being carried out: how to tell, and when to stop. */
export interface StepRun {
  readonly jobId: string;
  readonly epoch: number;
  /** Aborts when the order is gone. Steps look at it between leaves and files, and stop by throwing what it says. */
  readonly signal: AbortSignal;
  /** In the agent's outbox, on stable storage, when this returns. */
  readonly report: (...records: AgentRecord[]) => void;
  readonly progress: (done: StepProgress) => void;
}

export interface StepProgress {
  readonly step: 'scan' | 'copy' | 'verify' | 'retire' | 'purge';
  readonly objectsDone: number;
  readonly objectsTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export function targetOf(parts: StepParts, targetId: string): TargetDescription {
  const target = parts.targets.find((one) => one.targetId === targetId);
  if (target === undefined) throw new Failure('refused', { code: 'target.unknown', message: `this node has no target "${targetId}"`, ids: { targetId } });
  return target;
}

/** What every record about a job begins with. */
export function aboutJob(run: StepRun, parts: StepParts): { type: 'job'; jobId: never; epoch: number; atMs: number } {
  return { type: 'job', jobId: run.jobId as never, epoch: run.epoch, atMs: parts.clock.nowMs() };
}
