import type { Clock } from '@data-in-motion/shared/clock';

/** Holds each target to a rate: a bucket of one second's bytes per target. Without a rate it never waits. */
export class Throttle {
  readonly #bytesPerSec: number | null;
  readonly #clock: Clock;
  /** When each target's bytes so far are paid for, on the monotonic clock. */
  readonly #paidUntilMs = new Map<string, number>();

  constructor(bytesPerSec: number | null, clock: Clock) {
    this.#bytesPerSec = bytesPerSec;
    this.#clock = clock;
  }

  async take(targetId: string, bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bytesPerSec === null) return;
    const nowMs = this.#clock.monotonicMs();
    const paidUntilMs = Math.max(this.#paidUntilMs.get(targetId) ?? 0, nowMs - 1_000) + (bytes / this.#bytesPerSec) * 1_000;
    this.#paidUntilMs.set(targetId, paidUntilMs);
    if (paidUntilMs > nowMs) await this.#clock.sleep(paidUntilMs - nowMs, signal);
  }
}
