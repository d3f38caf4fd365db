import type { Clock } from '@data-in-motion/shared/clock';
import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { SigningKey } from '@data-in-motion/shared/signature';
import type { Dispatch } from '../dispatch/dispatch.ts';
import { type DecisionSettings, defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import type { OutcomeSettings } from '../health/drive-outcomes.ts';
import type { Plan } from '../placement/plan.ts';
import type { Need } from '../reconcile/needs.ts';
import type { Store, Tx } from '../store/database.ts';
import { checkLeader } from '../store/leader.ts';
import type { Retention } from '../store/retention.ts';

export interface LoopSettings {
  /** Pace of the loop when nothing wakes it. */
  readonly everyMs: number;
  /** Longest time between two plans; what is relevant makes one sooner. */
  readonly planEveryMs: number;
  /** How long readers of an old copy have after a switch. */
  readonly graceMs: number;
  /** How long a copy that left lies in the trash, whole, before it may be deleted. */
  readonly trashMs: number;
  /** A silent agent loses its job after this. */
  readonly leaseMs: number;
  /** Each copy is read back this often. */
  readonly scrubEveryMs: number;
  /** Jobs that one agent works at, and all agents together. */
  readonly runningPerNode: number;
  readonly runningInFleet: number;
  /** No permit is granted for this long after the store may have lost commits. */
  readonly distrustMs: number;
  /** What is kept how long, see `store/retention.ts`. */
  readonly retention: Retention;
  readonly pruning: PruningSettings;
  readonly scoring: ScoringSettings;
  readonly training: TrainingSettings;
  /** When a drive is taken for dead, and how often that is looked at. */
  readonly outcomes: OutcomeSettings & { readonly lookEveryMs: number };
  readonly decisions: DecisionSettings;
}

export interface PruningSettings {
  /** How often everything is looked at that may be old. */
  readonly tourEveryMs: number;
  /** How many transactions of one pass are spent on it, and how many rows one of them deletes at most. */
  readonly slicesPerPass: number;
  readonly rowsPerSlice: number;
  /** The embedded database gives the room of one table back this often. */
  readonly vacuumEveryMs: number;
}

export interface ScoringSettings {
  /** Drives of which one pass has the models scored; each takes some milliseconds, nearly all of it for its readings. */
  readonly drivesPerPass: number;
}

export interface TrainingSettings {
  /** Recorded lives of drives; null: no model is ever trained. */
  readonly dataDirectory: string | null;
  readonly everyMs: number;
}

const dayMs = 86_400_000;

export const defaultLoopSettings: LoopSettings = {
  everyMs: 2_000,
  planEveryMs: 300_000,
  graceMs: 86_400_000,
  trashMs: 7 * 86_400_000,
  leaseMs: 30_000,
  scrubEveryMs: 30 * 86_400_000,
  runningPerNode: 2,
  runningInFleet: 50,
  distrustMs: 900_000,
  retention: {
    hourlyAfterMs: 7 * dayMs,
    dailyAfterMs: 90 * dayMs,
    batchesMs: 7 * dayMs,
    accessNamesMs: 7 * dayMs,
    eventsMs: 90 * dayMs,
    answersMs: dayMs,
    recommendationsMs: 30 * dayMs,
    modelScoresMs: 180 * dayMs,
  },
  pruning: { tourEveryMs: 3_600_000, slicesPerPass: 4, rowsPerSlice: 2_000, vacuumEveryMs: 120_000 },
  scoring: { drivesPerPass: 20 },
  training: { dataDirectory: null, everyMs: 7 * dayMs },
  outcomes: { graceMs: dayMs, riskyWithinMs: 30 * dayMs, lookEveryMs: 60_000 },
  decisions: defaultDecisionSettings,
};

/** `only` leaves every other dataset where it is; null asks about all. */
export type Solve = (
  snapshot: FleetSnapshot,
  needs: readonly Need[],
  heats: ReadonlyMap<DatasetId, Heat>,
  only: ReadonlySet<DatasetId> | null,
) => Promise<Plan>;

export interface LoopParts {
  readonly store: Store;
  readonly dispatch: Pick<Dispatch, 'nudgeChanged' | 'nudgeAll' | 'tellModel'>;
  readonly signingKey: SigningKey;
  readonly clock: Clock;
  readonly settings: LoopSettings;
  /** Of this process: two control planes on one database have different ones. */
  readonly holder: string;
  /** Where plans are solved; a worker thread unless a test says otherwise. */
  readonly solve: Solve;
  /** Where it is a thread: has it ready by the time a plan is asked for, and the answer begun where the fleet is known that it will be asked of. */
  readonly prepareSolver?: (snapshot?: FleetSnapshot) => Promise<void>;
  readonly onFailure: (failure: Failure) => void;
}

/** One transaction of the leader; fails with `leader.deposed` when another control plane has taken over. */
export type LeaderWrite = <T>(work: (tx: Tx, nowMs: number) => Promise<T>) => Promise<T>;

export function leaderWrite(store: Store, term: number): LeaderWrite {
  return (work) =>
    store.transaction(async (tx) => {
      await checkLeader(tx, term);
      return work(tx, await store.nowMs(tx));
    });
}

/** Let one thing go wrong without holding up the others; a lost term stops everything. */
export async function tolerate(parts: Pick<LoopParts, 'onFailure'>, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === 'leader.deposed') throw failure;
    parts.onFailure(failure);
  }
}
