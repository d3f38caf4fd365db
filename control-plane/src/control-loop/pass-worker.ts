import { parentPort } from 'node:worker_threads';
import type { Assignment } from '../placement/assignment.ts';
import { prepare } from '../placement/prepare-assignment.ts';
import { type Look, PricePass } from '../placement/price-pass.ts';

/** What crosses to the thread that looks at half of the rows, see `PairedPass`. All lists of numbers are shared, none is copied. */
export type ToPassWorker =
  | { readonly kind: 'problem'; readonly problem: Assignment; readonly answers: Answers }
  | { readonly kind: 'look'; readonly number: number; readonly prices: Float64Array; readonly look: Look }
  | { readonly kind: 'end' };

/** Where it answers. */
export interface Answers {
  /** The number of the last look that is done; below 0 for one that failed. */
  readonly done: Int32Array;
  readonly used: Float64Array;
  readonly bends: Float64Array;
  /** Dollars, what is chosen, and magnitude. */
  readonly sums: Float64Array;
}

let working: { readonly pass: PricePass; readonly answers: Answers } | null = null;

parentPort?.on('message', (message: ToPassWorker) => {
  if (message.kind === 'problem') working = { pass: new PricePass(prepare(message.problem)), answers: message.answers };
  if (message.kind === 'look' && working !== null) answer(message, working.pass, working.answers);
  if (message.kind === 'end') working = null;
});

function answer({ number, prices, look }: Extract<ToPassWorker, { kind: 'look' }>, pass: PricePass, answers: Answers): void {
  let isDone = false;
  try {
    pass.run(prices, look);
    answers.used.set(pass.used);
    if (look.window > 0) answers.bends.set(pass.bends);
    answers.sums.set([pass.dollars, pass.chosen, pass.magnitude]);
    isDone = true;
  } finally {
    Atomics.store(answers.done, 0, isDone ? number : -number);
    Atomics.notify(answers.done, 0);
  }
}
