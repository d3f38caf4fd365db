import type { Clock } from '@data-in-motion/shared/clock';
import { z } from 'zod';
import { conditionFault, numberParameter, onThisNode } from './fault.ts';

const mostOffsetMs = 30 * 24 * 3_600_000;

export const clockSkew = conditionFault(
  z.object({ offsetMs: z.number() }),
  (order, world) => {
    onThisNode(order, world);
    return { offsetMs: numberParameter(order, 'offsetMs', -mostOffsetMs, mostOffsetMs) };
  },
  ({ offsetMs }) => ({ clockOffsetMs: offsetMs }),
);

/** A clock whose wall time is off; what only grows, and sleeping, stay true. */
export function skewedClock(clock: Clock, offsetMs: () => number): Clock {
  return {
    nowMs: () => clock.nowMs() + offsetMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}
