import { Worker } from 'node:worker_threads';
import { Failure } from '@data-in-motion/shared/failure';
import type { TrainAnswer, Trained, TrainRequest } from './train-worker.ts';

export interface Training {
  readonly result: Promise<Trained>;
  stop(): Promise<void>;
}

export type Train = (request: TrainRequest, say: (text: string) => void) => Training;

/** Objects of the thread: with 48,146 drives the whole process came to 0.9 GB; more than this ends the training and not the process. */
const heapMb = 2_048;

/** Training keeps a core busy for minutes; in a thread of its own it holds nothing up, and its memory is given back when it ends. */
export const trainInThread: Train = (request, say) => {
  const worker = new Worker(new URL('./train-worker.ts', import.meta.url), { workerData: request, resourceLimits: { maxOldGenerationSizeMb: heapMb } });
  worker.unref();
  const result = new Promise<Trained>((resolve, reject) => {
    worker.on('message', (answer: TrainAnswer) => {
      if (answer.kind === 'said') say(answer.text);
      else if (answer.kind === 'done') resolve(answer.result);
      else reject(new Failure('refused', { code: answer.code, message: answer.message, hint: 'See DIM_MODEL_DATA.' }));
    });
    const ended = (message: string): void => reject(new Failure('unavailable', { code: 'training.ended', message }));
    worker.on('error', (error) => ended(error.message));
    worker.on('exit', () => ended('the training ended without a model'));
  });
  return { result, stop: async () => void (await worker.terminate()) };
};
