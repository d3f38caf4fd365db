import type { RetrySettings } from '@data-in-motion/shared/retry';

/** How the mover behaves; every value has a default that suits a server. */
export interface MoverSettings {
  /** Scans, copies, verifications and retirements that run at the same time. */
  readonly parallelJobs: number;
  /** A file that was changed more recently than this is still being written. */
  readonly quietMs: number;
  /** How often a growing file is waited for before the job is put off. */
  readonly quietRounds: number;
  /** Read and write rate of each target, for the sake of who else uses it; null for as fast as it goes. */
  readonly bytesPerSecPerTarget: number | null;
  /** A copy is made durable and journaled after this many bytes or this long, whichever comes first: what a crash costs. */
  readonly checkpointBytes: number;
  readonly checkpointMs: number;
  readonly progressEveryMs: number;
  /** Memory for bytes on their way, all jobs together. */
  readonly budgetBytes: number;
  /** Staging without a living job is removed when it is older than this. */
  readonly sweepAfterMs: number;
  readonly sweepEveryMs: number;
  /** An order that is done or has failed is told again when it is still asked for, not more often than this. */
  readonly retellEveryMs: number;
  /** A transfer that brought no byte for this long is broken off and tried again. */
  readonly idleTimeoutMs: number;
  readonly retry: RetrySettings;
}

export const defaultMoverSettings: MoverSettings = {
  parallelJobs: 2,
  quietMs: 5_000,
  quietRounds: 5,
  bytesPerSecPerTarget: null,
  checkpointBytes: 64 * 1_024 * 1_024,
  checkpointMs: 2_000,
  progressEveryMs: 1_000,
  budgetBytes: 32 * 1_024 * 1_024,
  sweepAfterMs: 48 * 3_600_000,
  sweepEveryMs: 600_000,
  retellEveryMs: 10_000,
  idleTimeoutMs: 30_000,
  retry: { attempts: 8, firstDelayMs: 500, longestDelayMs: 60_000 },
};
