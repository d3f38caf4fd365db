import { Worker } from 'node:worker_threads';
import { Failure } from '@data-in-motion/shared/failure';
import type { DecisionSettings } from '../fleet/decision-settings.ts';
import type { Plan } from '../placement/plan.ts';
import type { Solve } from './parts.ts';
import type { SolveRequest } from './plan-worker.ts';

type Answer = { readonly id: number; readonly plan?: Plan; readonly error?: string };
type Waiting = { resolve: (plan: Plan) => void; reject: (failure: Failure) => void };

export interface SolverThread {
  readonly solve: Solve;
  stop(): Promise<void>;
}

/** The solver keeps a core busy for seconds; in a thread of its own it never keeps an agent's report waiting. The thread starts with the first plan, and again after it died. */
export function solverThread(settings: DecisionSettings): SolverThread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let nextId = 1;

  const failAll = (message: string): void => {
    worker = null;
    for (const { reject } of waiting.values()) reject(new Failure('unavailable', { code: 'solver.ended', message }));
    waiting.clear();
  };
  const start = (): Worker => {
    const started = new Worker(new URL('./plan-worker.ts', import.meta.url));
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

  return {
    solve: (snapshot, needs, heats, only) =>
      new Promise((resolve, reject) => {
        worker ??= start();
        const request: SolveRequest = { id: nextId++, snapshot, needs, heats, only, settings };
        waiting.set(request.id, { resolve, reject });
        worker.postMessage(request);
      }),
    async stop() {
      await worker?.terminate();
      worker = null;
    },
  };
}
