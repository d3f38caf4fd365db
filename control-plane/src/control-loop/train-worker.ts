import { parentPort, workerData } from 'node:worker_threads';
import { asFailure } from '@data-in-motion/shared/failure';
import { readRecordedDrives } from '../learn/read-recorded-drives.ts';
import { type Retrained, retrain } from '../learn/retrain.ts';

/** What crosses to the thread that trains, and back; plain data. */
export interface TrainRequest {
  readonly directory: string;
  readonly seed: number;
}
export type TrainAnswer =
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'done'; readonly result: Retrained }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

const answer = (one: TrainAnswer): void => parentPort?.postMessage(one);
const say = (text: string): void => answer({ kind: 'said', text });

try {
  const { directory, seed } = workerData as TrainRequest;
  const drives = await readRecordedDrives(directory);
  say(`${drives.length.toLocaleString('en-GB')} drives read`);
  answer({ kind: 'done', result: retrain(drives, seed, say) });
} catch (thrown) {
  const { code, message } = asFailure(thrown);
  answer({ kind: 'failed', code, message });
}
