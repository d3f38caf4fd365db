import { parentPort, workerData } from 'node:worker_threads';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { ModelMetrics } from '@data-in-motion/shared/domain/model-metrics';
import { asFailure } from '@data-in-motion/shared/failure';
import { readRecordedDrives } from '../learn/read-recorded-drives.ts';
import { type Retrained, retrain } from '../learn/retrain.ts';
import { measuredBeside } from './measure-beside.ts';

/** What crosses to the thread that trains, and back; plain data. */
export interface TrainRequest {
  readonly directory: string;
  readonly seed: number;
  /** The model that a candidate would replace; null where rules judge. */
  readonly active: FailureModel | null;
}
/** `active` is what the active model is on the very same decisions; null where it learned from these months, or there is none. */
export type Trained = Retrained & { readonly active: ModelMetrics | null };
export type TrainAnswer =
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'done'; readonly result: Trained }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

const answer = (one: TrainAnswer): void => parentPort?.postMessage(one);
const say = (text: string): void => answer({ kind: 'said', text });

try {
  const { directory, seed, active } = workerData as TrainRequest;
  const drives = await readRecordedDrives(directory);
  say(`${drives.length.toLocaleString('en-GB')} drives read`);
  const result = retrain(drives, seed, say);
  answer({ kind: 'done', result: { ...result, active: result.status === 'trained' ? measuredBeside(active, result.metrics, drives, seed) : null } });
} catch (thrown) {
  const { code, message } = asFailure(thrown);
  answer({ kind: 'failed', code, message });
}
