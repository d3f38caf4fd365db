import type { PlanView } from '@data-in-motion/shared/api/decisions';
import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import type { Clock } from '@data-in-motion/shared/clock';
import type { DatasetId, PlanId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { startLoop } from '@data-in-motion/shared/loop';
import { type Random, systemRandom } from '@data-in-motion/shared/random';
import type { SigningKey } from '@data-in-motion/shared/signature';
import { ulid } from '@data-in-motion/shared/ulid';
import { eq, inArray } from 'drizzle-orm';
import { type Applied, applyPlan, carryOutPlans, differencesNow, offerPlans } from './control-loop/carry-out-plans.ts';
import { certifyEvacuations } from './control-loop/certify-evacuations.ts';
import { clearLeftovers } from './control-loop/clear-leftovers.ts';
import { ReadCounter } from './control-loop/count-reads.ts';
import { makePlan, type Picture, picture, planTrigger, promoteCopies, storeEvacuations, storeHeats } from './control-loop/decide.ts';
import { judgeModels } from './control-loop/judge-models.ts';
import { KeptNeeds } from './control-loop/kept-needs.ts';
import { defaultLoopSettings, type LeaderWrite, type LoopParts, type LoopSettings, leaderWrite, type Solve, tolerate } from './control-loop/parts.ts';
import { Pruner } from './control-loop/prune.ts';
import { DriveScorer } from './control-loop/score-drives.ts';
import { scrubOldest } from './control-loop/scrub.ts';
import { solverThread } from './control-loop/solve-in-thread.ts';
import { stepJobs } from './control-loop/step-jobs.ts';
import { ModelTrainer } from './control-loop/train-models.ts';
import { watchAgents } from './control-loop/watch-agents.ts';
import { OutcomeWatch } from './control-loop/watch-outcomes.ts';
import type { Dispatch } from './dispatch/dispatch.ts';
import { Listening } from './health/listening.ts';
import { endSettledAlerts } from './store/alerts.ts';
import type { Store } from './store/database.ts';
import { expireExperiments } from './store/experiments.ts';
import { insertVerifyJob } from './store/jobs.ts';
import { distrustedSinceMs, holdLeadership, leaveLeadership } from './store/leader.ts';
import { loadSnapshot } from './store/load-snapshot.ts';
import { cpLeader, plan, replica } from './store/schema.ts';

/** The settings of the control plane that the loop reads; the rest of its defaults are in `control-loop/parts.ts`. */
export interface ControlLoopSettings {
  readonly loopEveryMs: number;
  readonly planEveryMs: number;
  readonly graceMs: number;
  readonly trashMs: number;
  readonly leaseMs: number;
  readonly scrubEveryMs: number;
  readonly lateAfterMs: number;
  readonly lostAfterMs: number;
  readonly coldAfterMs: number;
  readonly dwellMs: number;
  readonly forecastShare: number;
  /** Recorded lives of drives to train models on; null: none is trained. */
  readonly modelDataDirectory: string | null;
  readonly modelTrainEveryMs: number;
}

export interface ControlLoopParts {
  readonly store: Store;
  readonly dispatch: Pick<Dispatch, 'nudgeChanged' | 'nudgeAll' | 'tellModel'>;
  readonly signingKey: SigningKey;
  readonly clock: Clock;
  readonly random?: Random;
  readonly settings: ControlLoopSettings;
  readonly onFailure: (failure: Failure) => void;
  /** Left out, plans are solved in a thread of their own. */
  readonly solve?: Solve;
}

export interface ControlLoop {
  wake(): void;
  stop(): Promise<void>;
  makePlan(wanted: { dryRun: boolean; datasetIds?: readonly string[] | undefined }): Promise<PlanView>;
  applyPlan(planId: PlanId): Promise<Applied>;
  /** What has changed since a plan was made of all that its open moves rest on. Null: it can not be applied (any more). */
  planDifferences(planId: PlanId): Promise<PlanDifference[] | null>;
  /** Have every doubted copy read back and send every agent its orders again. */
  resync(): Promise<{ verifying: number; nodes: number }>;
  /** Ask whoever leads for another failure model. @throws refused `model.no-training-data` */
  trainModel(by: string): Promise<void>;
}

/** One pass follows another until the process ends; only the leader's passes do anything. See `FleetKeeper`. */
export function startControlLoop(parts: ControlLoopParts): ControlLoop {
  const settings = loopSettings(parts.settings);
  const thread = parts.solve === undefined ? solverThread(settings.decisions) : null;
  const holder = ulid(Math.max(0, parts.clock.nowMs()), parts.random ?? systemRandom);
  const solver = parts.solve === undefined ? { solve: thread!.solve, prepareSolver: thread!.prepare } : { solve: parts.solve };
  const keeper = new FleetKeeper({ ...parts, settings, holder, ...solver });
  const loop = startLoop(() => keeper.pass(), settings.everyMs, parts.clock, parts.onFailure);
  const wakeAfter = async <T>(work: Promise<T>): Promise<T> => {
    const answer = await work;
    loop.wake();
    return answer;
  };
  return {
    wake: () => loop.wake(),
    async stop() {
      await loop.stop();
      await keeper.stopTraining();
      await keeper.settled();
      await thread?.stop();
      await leaveLeadership(parts.store.db, holder);
    },
    makePlan: ({ dryRun, datasetIds }) => wakeAfter(keeper.makePlan(dryRun, datasetIds)),
    applyPlan: (planId) => wakeAfter(keeper.applyPlan(planId)),
    planDifferences: (planId) => keeper.planDifferences(planId),
    resync: () => wakeAfter(keeper.resync()),
    trainModel: (by) => wakeAfter(keeper.trainModel(by)),
  };
}

export function loopSettings(given: ControlLoopSettings): LoopSettings {
  const { decisions } = defaultLoopSettings;
  return {
    ...defaultLoopSettings,
    everyMs: given.loopEveryMs,
    planEveryMs: given.planEveryMs,
    graceMs: given.graceMs,
    trashMs: given.trashMs,
    leaseMs: given.leaseMs,
    scrubEveryMs: given.scrubEveryMs,
    training: { dataDirectory: given.modelDataDirectory, everyMs: given.modelTrainEveryMs },
    decisions: {
      ...decisions,
      agents: { lateAfterMs: given.lateAfterMs, lostAfterMs: given.lostAfterMs },
      heat: { ...decisions.heat, coldAfterMs: given.coldAfterMs, forecastShare: given.forecastShare },
      placement: { ...decisions.placement, dwellMs: given.dwellMs },
    },
  };
}

/** How often a pass looks again when a step made room for another; what is left then waits for the next pass. */
const roundsPerPass = 6;
/** What can not be met is looked at again this often: room and measured speed, which a plan is not made for by themselves, may have come. */
const infeasibleEveryMs = 30_000;
/** A leader that does not come back loses its term after this many passes. */
const termPasses = 8;

/** Keeps the fleet as policy wants it: looks, decides, writes down, and tells the agents. Everything it knows between two passes can be lost. */
export class FleetKeeper {
  readonly #parts: LoopParts;
  readonly #pruner: Pruner;
  readonly #outcomes: OutcomeWatch;
  readonly #scorer: DriveScorer;
  readonly #trainer: ModelTrainer;
  readonly #reads: ReadCounter;
  readonly #listening = new Listening();
  readonly #needs = new KeptNeeds();
  #planning: Promise<void> | null = null;
  #offering: Promise<void> | null = null;
  #notedEpoch = '';
  #planned = { basis: '', againAtMs: Number.NEGATIVE_INFINITY };

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#pruner = new Pruner(parts);
    this.#outcomes = new OutcomeWatch(parts);
    this.#scorer = new DriveScorer(parts);
    this.#trainer = new ModelTrainer(parts);
    this.#reads = new ReadCounter(parts);
  }

  /** One pass. Does nothing while another control plane leads. */
  async pass(): Promise<void> {
    const { store, settings, holder, dispatch } = this.#parts;
    const term = await holdLeadership(store, holder, Math.max(10_000, settings.everyMs * termPasses));
    if (term === null) return;
    const write = leaderWrite(store, term);
    await this.#noteEpoch(write);
    await tolerate(this.#parts, () => watchAgents(this.#parts, this.#listening, write));
    await this.#stepJobs(write);
    await dispatch.nudgeChanged();
    await tolerate(this.#parts, () => carryOutPlans(this.#parts, write));
    this.#offerPlans(write);
    await tolerate(this.#parts, () => this.#decide(write));
    await tolerate(this.#parts, () => scrubOldest(this.#parts, write));
    await tolerate(this.#parts, () => clearLeftovers(this.#parts, write));
    await tolerate(this.#parts, () => this.#outcomes.pass(write));
    await tolerate(this.#parts, () => certifyEvacuations(this.#parts, write));
    await tolerate(this.#parts, () => dispatch.tellModel());
    await tolerate(this.#parts, () => write((tx, nowMs) => expireExperiments(tx, nowMs)));
    await tolerate(this.#parts, () => write(endSettledAlerts));
    await this.#stepJobs(write);
    await dispatch.nudgeChanged();
    await tolerate(this.#parts, () => judgeModels(this.#parts, this.#scorer, write));
    await tolerate(this.#parts, () => this.#trainer.pass(write));
    await tolerate(this.#parts, () => this.#reads.pass(write));
    await tolerate(this.#parts, () => this.#pruner.pass(write));
  }

  /** The epoch is written down before anything is decided under it: only so is a later one, after lost commits, known to be another. */
  async #noteEpoch(write: LeaderWrite): Promise<void> {
    const { storeEpoch } = this.#parts.store;
    if (storeEpoch === this.#notedEpoch) return;
    await write((tx, nowMs) => distrustedSinceMs(tx, storeEpoch, nowMs));
    this.#notedEpoch = storeEpoch;
  }

  /** Resolves when no plan is being made. */
  async settled(): Promise<void> {
    await this.#planning;
    await this.#offering;
  }

  async #stepJobs(write: LeaderWrite): Promise<void> {
    for (let round = 0; round < roundsPerPass; round++) {
      if (!(await stepJobs(this.#parts, write, () => loadSnapshot(this.#parts.store)))) return;
    }
  }

  /** Evacuations and promotions at once; a plan beside the passes, when something it depends on has changed or its time has come; heat while that is solved. */
  async #decide(write: LeaderWrite): Promise<void> {
    const { store, settings, prepareSolver } = this.#parts;
    const isFirst = this.#planned.basis === '';
    // The first plan is certain: the thread starts, gets the datasets and begins it while the fleet is looked at here.
    if (isFirst) void prepareSolver?.();
    const snapshot = await loadSnapshot(store);
    if (isFirst) await prepareSolver?.(snapshot);
    const seen = await picture(snapshot, this.#parts, this.#needs);
    await storeEvacuations(write, seen, settings.decisions);
    await promoteCopies(write, seen.snapshot);
    if (this.#planning === null) await this.#planIfDue(write, seen);
    await storeHeats(write, seen, settings.decisions.heat);
  }

  async #planIfDue(write: LeaderWrite, seen: Picture): Promise<void> {
    const basis = await planTrigger(seen);
    if (basis === this.#planned.basis && seen.snapshot.takenAtMs < this.#planned.againAtMs) return;
    // A plan that fails is tried again after the same pause as one that can not be met.
    this.#planned = { basis, againAtMs: seen.snapshot.takenAtMs + this.#infeasibleEveryMs };
    this.#planning = tolerate(this.#parts, () => this.#planFleet(write, seen))
      .catch((failure: Failure) => this.#parts.onFailure(failure))
      .finally(() => {
        this.#planning = null;
      });
  }

  /** Beside the passes, since it takes as long as any plan. */
  #offerPlans(write: LeaderWrite): void {
    if (this.#offering !== null) return;
    this.#offering = tolerate(this.#parts, () => offerPlans(this.#parts, write))
      .catch((failure: Failure) => this.#parts.onFailure(failure))
      .finally(() => {
        this.#offering = null;
      });
  }

  async #planFleet(write: LeaderWrite, seen: Picture): Promise<void> {
    const made = await makePlan(this.#parts, write, { dryRun: false, datasetIds: null }, seen);
    const pauseMs = made.infeasible.length === 0 ? this.#parts.settings.planEveryMs : this.#infeasibleEveryMs;
    this.#planned = { ...this.#planned, againAtMs: made.madeAtMs + pauseMs };
  }

  get #infeasibleEveryMs(): number {
    return Math.min(this.#parts.settings.planEveryMs, infeasibleEveryMs);
  }

  async trainModel(by: string): Promise<void> {
    await this.#trainer.ask(by);
  }

  async stopTraining(): Promise<void> {
    await this.#trainer.stop();
  }

  async makePlan(dryRun: boolean, datasetIds: readonly string[] | undefined): Promise<PlanView> {
    const only = datasetIds === undefined ? null : new Set(datasetIds as readonly DatasetId[]);
    return makePlan(this.#parts, await this.#anyWrite(), { dryRun, datasetIds: only });
  }

  async applyPlan(planId: PlanId): Promise<Applied> {
    return applyPlan(this.#parts, await this.#anyWrite(), planId);
  }

  async planDifferences(planId: PlanId): Promise<PlanDifference[] | null> {
    const { store, settings } = this.#parts;
    const [row] = await store.db.select().from(plan).where(eq(plan.planId, planId));
    return row === undefined || row.state === 'applied' ? null : differencesNow(store.db, row, await loadSnapshot(store), settings.decisions);
  }

  async resync(): Promise<{ verifying: number; nodes: number }> {
    const { store, dispatch } = this.#parts;
    const doubted = await store.db
      .select({ replicaId: replica.replicaId })
      .from(replica)
      .where(inArray(replica.state, ['suspect', 'missing']));
    let verifying = 0;
    for (const row of doubted) {
      await store.transaction(async (tx) => {
        if ((await insertVerifyJob(tx, row.replicaId, 'a person asked to look again', 1, await store.nowMs(tx))) !== null) verifying++;
      });
    }
    return { verifying, nodes: await dispatch.nudgeAll() };
  }

  /** A person's wish is written whichever control plane hears it, under whatever term holds at that moment; the jobs' keys keep it from being done twice. */
  async #anyWrite(): Promise<LeaderWrite> {
    const { store, holder, settings } = this.#parts;
    await holdLeadership(store, holder, Math.max(10_000, settings.everyMs * termPasses));
    const [row] = await store.db.select({ term: cpLeader.term }).from(cpLeader).where(eq(cpLeader.id, 1));
    if (row === undefined) throw new Failure('unavailable', { code: 'leader.none', message: 'no control plane leads yet' });
    return leaderWrite(store, row.term);
  }
}
