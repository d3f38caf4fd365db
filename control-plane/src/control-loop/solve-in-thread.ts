import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { inSlices } from '@data-in-motion/shared/in-slices';
import type { DecisionSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import type { Plan } from '../placement/plan.ts';
import type { Need } from '../reconcile/needs.ts';
import type { Solve } from './parts.ts';
import type { ToSolver } from './plan-worker.ts';

type Answer = { readonly id: number; readonly plan?: Plan; readonly error?: string };
type Waiting = { resolve: (plan: Plan) => void; reject: (failure: Failure) => void };

/** Copying so many to the thread takes some milliseconds of this one. */
const datasetsPerPart = 1_000;

/** What it makes and lets go of is collected so early: 60 to 90 MB less at a hundred thousand datasets, in the same time. */
const youngMb = 8;

/** The facts as decisions read them: the copies are the store's rows, which say more, and the thread would keep all of it a second time. */
function asDecided(facts: DatasetFacts): DatasetFacts {
  const replicas = facts.replicas.map(({ replicaId, versionId, targetId, state, verifiedAtMs, createdAtMs }) => ({
    replicaId,
    versionId,
    targetId,
    state,
    verifiedAtMs,
    createdAtMs,
  }));
  return { ...facts, replicas };
}

export interface SolverThread {
  readonly solve: Solve;
  /** Starts the thread ahead of the first plan; given what that will be asked of, resolves when it begins to answer. */
  readonly prepare: (snapshot?: FleetSnapshot) => Promise<void>;
  stop(): Promise<void>;
}

/** The solver keeps a core busy for seconds; in a thread of its own it never keeps an agent's report waiting. The thread starts with the first plan unless it is prepared, and again after it died. */
export function solverThread(settings: DecisionSettings): SolverThread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let nextId = 1;
  /** What the thread has of each dataset. */
  let sent = new Map<DatasetId, DatasetFacts>();
  /** One request at a time sends what it needs: another's datasets in between would be of another snapshot. */
  let sending: Promise<unknown> = Promise.resolve();

  const failAll = (message: string): void => {
    worker = null;
    sent = new Map();
    for (const { reject } of waiting.values()) reject(new Failure('unavailable', { code: 'solver.ended', message }));
    waiting.clear();
  };
  const start = (): Worker => {
    const started = new Worker(new URL('./plan-worker.ts', import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: youngMb } });
    started.unref();
    started.on('message', ({ id, plan, error }: Answer) => {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (plan !== undefined) asked?.resolve(plan);
      else asked?.reject(new Failure('defect', { code: 'solver.failed', message: error ?? 'the solver gave no answer' }));
    });
    started.on('error', (error) => failAll(error.message));
    started.on('exit', () => failAll('the solver ended'));
    return started;
  };

  const sendDatasets = async (to: Worker, { datasets }: FleetSnapshot): Promise<void> => {
    const changed = await inSlices(datasets, (facts) => (sent.get(facts.datasetId) === facts ? [] : [facts]));
    for (let at = 0; at < changed.length && to === worker; at += datasetsPerPart) {
      const part = changed.slice(at, at + datasetsPerPart);
      for (const facts of part) sent.set(facts.datasetId, facts);
      to.postMessage({ kind: 'datasets', changed: part.map(asDecided), gone: [] } satisfies ToSolver);
      await setImmediate();
    }
    if (sent.size === datasets.length || to !== worker) return;
    const present = new Set(datasets.map(({ datasetId }) => datasetId));
    const gone = [...sent.keys()].filter((datasetId) => !present.has(datasetId));
    for (const datasetId of gone) sent.delete(datasetId);
    to.postMessage({ kind: 'datasets', changed: [], gone } satisfies ToSolver);
  };

  const ask = async (snapshot: FleetSnapshot, needs: readonly Need[], only: ReadonlySet<DatasetId> | null): Promise<{ answer: Promise<Plan> }> => {
    worker ??= start();
    const to = worker;
    await sendDatasets(to, snapshot);
    if (to !== worker) throw new Failure('unavailable', { code: 'solver.ended', message: 'the solver ended' });
    const { datasets: _, ...rest } = snapshot;
    const { promise, resolve, reject } = Promise.withResolvers<Plan>();
    const id = nextId++;
    waiting.set(id, { resolve, reject });
    to.postMessage({ kind: 'solve', id, snapshot: rest, needs, only, settings } satisfies ToSolver);
    return { answer: promise };
  };

  return {
    async solve(snapshot, needs, _heats, only) {
      const asked = sending.then(() => ask(snapshot, needs, only));
      sending = asked.catch(() => {});
      return (await asked).answer;
    },
    async prepare(snapshot) {
      worker ??= start();
      const to = worker;
      if (snapshot === undefined) return;
      const { datasets: _, ...rest } = snapshot;
      const begin = (): void => to.postMessage({ kind: 'ahead', snapshot: rest, settings } satisfies ToSolver);
      const begun = sending.then(() => sendDatasets(to, snapshot)).then(begin);
      sending = begun.catch(() => {});
      await sending;
    },
    async stop() {
      await worker?.terminate();
      worker = null;
    },
  };
}
