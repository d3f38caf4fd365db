import type { Order } from '@data-in-motion/shared/protocol/messages';
import type { Tell } from '../journal/outbox.ts';
import type { StepParts, StepProgress } from './step-parts.ts';

/** Tell how far an order is, not more often than the settings say, with the rate since the last time. */
export function tellProgress(order: Order, tell: Tell, { clock, settings }: StepParts): (done: StepProgress) => void {
  let last = { atMs: clock.monotonicMs(), bytes: 0 };
  return (done) => {
    const nowMs = clock.monotonicMs();
    const overMs = nowMs - last.atMs;
    if (overMs < settings.progressEveryMs) return;
    const bytesPerSec = Math.max(0, ((done.bytesDone - last.bytes) / overMs) * 1_000);
    last = { atMs: nowMs, bytes: done.bytesDone };
    tell([{ type: 'progress', jobId: order.jobId, epoch: order.epoch, atMs: clock.nowMs(), ...done, bytesPerSec }], 'soon');
  };
}
