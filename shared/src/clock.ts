/** Time as a port: decisions get `now` as an argument, edges get a clock. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. Never used for safety. */
  nowMs(): number;
  /** Milliseconds that only grow; for time-outs and rates. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once (without an error) when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done);
    }),
};

/** A clock that a test moves by hand; sleepers wake in order of their time. */
export class ManualClock implements Clock {
  #now: number;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  nowMs(): number {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { atMs: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        resolve();
      });
    });
  }

  /** Move time forward; who slept until then wakes before this resolves. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#now + ms;
    for (;;) {
      const next = this.#sleepers.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#sleepers.shift();
      this.#now = next.atMs;
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = untilMs;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
