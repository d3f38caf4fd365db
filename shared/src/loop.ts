import type { Clock } from './clock.ts';
import { asFailure, type Failure } from './failure.ts';

export interface Loop {
  /** Run the next pass now instead of at its time; several calls before it starts are one pass. */
  wake(): void;
  /** Ends after the pass that is running, if any. */
  stop(): Promise<void>;
}

/**
 * Run `pass` every `everyMs`, counted from the end of the one before, never two at once.
 * A pass that fails is handed to `onFailure` and the loop goes on; a `defect` is for `onFailure` to escalate.
 */
export function startLoop(pass: (signal: AbortSignal) => Promise<void>, everyMs: number, clock: Clock, onFailure: (failure: Failure) => void): Loop {
  const stopping = new AbortController();
  let napping = new AbortController();
  let woken = false;

  const running = (async () => {
    while (!stopping.signal.aborted) {
      woken = false;
      try {
        await pass(stopping.signal);
      } catch (thrown) {
        onFailure(asFailure(thrown));
      }
      if (woken || stopping.signal.aborted) continue;
      napping = new AbortController();
      await clock.sleep(everyMs, napping.signal);
    }
  })();

  return {
    wake() {
      woken = true;
      napping.abort();
    },
    async stop() {
      stopping.abort();
      napping.abort();
      await running;
    },
  };
}
