import type { Clock } from './clock.ts';
import { asFailure } from './failure.ts';
import type { Random } from './random.ts';

export interface RetrySettings {
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * How long to wait before attempt `attempt` (1 is the first retry): full jitter, rand(0, min(longest, first x 2^n)).
 * Full jitter spreads a fleet that lost the same server at the same moment; AWS Architecture Blog, "Exponential Backoff And Jitter", 2015.
 */
export function backoffMs(attempt: number, settings: Omit<RetrySettings, 'attempts'>, random: Random): number {
  return random.next() * Math.min(settings.longestDelayMs, settings.firstDelayMs * 2 ** attempt);
}

/** Try again while the failure is `unavailable`; any other failure, and the last one, is thrown as it is. */
export async function retry<T>(work: (attempt: number) => Promise<T>, settings: RetrySettings, clock: Clock, random: Random, signal?: AbortSignal): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work(attempt);
    } catch (thrown) {
      if (asFailure(thrown).kind !== 'unavailable' || attempt + 1 >= settings.attempts || signal?.aborted) throw thrown;
      await clock.sleep(backoffMs(attempt, settings, random), signal);
    }
  }
}
